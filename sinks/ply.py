"""Coloured point clouds of the pixels whose depth is sure."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from sinks.writing.folder import Folder
from streamflow.formats import ply
from streamflow.stages import Stage
from streamflow.values import Depth, Image, Mask

if TYPE_CHECKING:
    from sinks import Run
    from streamflow.values import Result

MAX_RELATIVE_SIGMA = 0.1  # largest standard deviation of inverse depth, relative to inverse depth


def sure_pixels(depth: Depth) -> Mask:
    """Where depth is positive and its standard deviation at most a tenth of it."""
    with np.errstate(invalid="ignore"):
        sure = (depth.inverse > 0) & (np.sqrt(depth.variance) <= MAX_RELATIVE_SIGMA * depth.inverse)
    return np.asarray(sure, np.bool_)


def points(result: Result, depth: Depth, mask: Mask) -> tuple[NDArray[np.float64], Image]:
    """Points z K^-1 (x, y, 1) in camera axes (x right, y down, z forward), with their colours.

    Returns
    -------
    points : ndarray, shape (N, 3)
    colours : ndarray of uint8, shape (N, 3)
        BGR.
    """
    y, x = np.nonzero(mask)
    rays = np.linalg.inv(result.camera_matrix) @ np.stack([x, y, np.ones_like(x)])
    return (rays / depth.inverse[mask]).T, result.pair.reference.image[mask]


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
