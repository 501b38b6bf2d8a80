"""Annotated frames, one PNG each."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import cv2

from sinks.writing.folder import Folder

if TYPE_CHECKING:
    from sinks import Run
    from streamflow.stages import Stage
    from streamflow.values import Result


class PngSink:
    """Writes the painter's picture of every pair to `DIR/frame_000012.png`."""

    needs: ClassVar[frozenset[Stage]] = frozenset()

    def __init__(self, target: str, run: Run) -> None:
        self._painter = run.painter
        self._folder = Folder(target, run, "png", ".png")

    def write(self, result: Result) -> None:
        """Write the picture of one pair."""
        picture = self._painter.draw(result)
        self._folder.add(result, cv2.imencode(".png", picture)[1].data, {"quantity": "annotated picture"})

    def close(self) -> None:
        """Close the manifest."""
        self._folder.close()
