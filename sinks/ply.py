"""Coloured point clouds of the pixels whose depth is sure."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from sinks.writing.folder import Folder
from sinks.writing.points import MAX_RELATIVE_SIGMA, points, sure_pixels
from streamflow.formats import ply
from streamflow.stages import Stage

if TYPE_CHECKING:
    from sinks import Run
    from streamflow.values import Result


class PlySink:
    """Writes `DIR/frame_000012.ply`, in the depth's unit."""

    needs: ClassVar[frozenset[Stage]] = frozenset({Stage.DEPTH})

    def __init__(self, target: str, run: Run) -> None:
        self._folder = Folder(target, run, "ply", ".ply")

    def write(self, result: Result) -> None:
        """Write the cloud of one pair."""
        depth = result.depth
        assert depth is not None
        facts = {
            "quantity": "points in camera axes: x right, y down, z forward",
            "unit": depth.unit,
            "invalid": f"absent: unknown, or standard deviation above {MAX_RELATIVE_SIGMA:.0%}",
        }
        cloud, colours = points(result, depth, sure_pixels(depth))
        data = ply.encode(cloud, colours, f"unit {depth.unit}")
        self._folder.add(result, data, facts, points=len(cloud))

    def close(self) -> None:
        """Close the manifest."""
        self._folder.close()
