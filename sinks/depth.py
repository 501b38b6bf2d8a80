"""Inverse depth as 16-bit PNG."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import cv2

from sinks.writing.folder import Folder
from streamflow.formats import depth16
from streamflow.stages import Stage

if TYPE_CHECKING:
    from sinks import Run
    from streamflow.values import Result


class DepthSink:
    """Writes `DIR/frame_000012.png`; unit and scale stand in the sidecar and the manifest."""

    needs: ClassVar[frozenset[Stage]] = frozenset({Stage.DEPTH})

    def __init__(self, target: str, run: Run) -> None:
        self._folder = Folder(target, run, "depth", ".png")

    def write(self, result: Result) -> None:
        """Write the picture of one pair."""
        assert result.depth is not None
        stored, scale = depth16.encode(result.depth.inverse)
        data = cv2.imencode(".png", stored)[1].data
        self._folder.add(result, data, depth16.facts(result.depth), scale=scale)

    def close(self) -> None:
        """Close the manifest."""
        self._folder.close()
