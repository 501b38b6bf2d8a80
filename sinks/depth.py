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
    """Writes `DIR/frame_000012.png`; unit and scale stand in the manifest."""

    needs: ClassVar[frozenset[Stage]] = frozenset({Stage.DEPTH})

    def __init__(self, target: str, run: Run) -> None:
        self._folder = Folder(target, run, "depth", ".png")
        self._scale = depth16.SegmentScale(run.painter.style.limits)

    def write(self, result: Result) -> None:
        """Write the picture of one pair."""
        assert result.depth is not None
        scale = self._scale(result.depth, result.segment)
        data = cv2.imencode(".png", depth16.encode(result.depth.inverse, scale))[1].data
        self._folder.add(result, data, depth16.facts(result.depth), **depth16.line(result, scale))

    def close(self) -> None:
        """Close the manifest."""
        self._folder.close()
