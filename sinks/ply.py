"""Coloured point clouds of the pixels whose depth is sure."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from sinks.writing.folder import Folder
from streamflow.stages import Stage
from streamflow.values import Depth, Mask

if TYPE_CHECKING:
    from sinks import Run
    from streamflow.values import Result

SURE = 0.1  # largest standard deviation of inverse depth, relative to inverse depth
POINT = np.dtype(
    [("x", "<f4"), ("y", "<f4"), ("z", "<f4"), ("red", "u1"), ("green", "u1"), ("blue", "u1")],
)
PLY_TYPES = {"<f4": "float", "|u1": "uchar"}


def sure_pixels(depth: Depth) -> Mask:
    """Where depth is positive and its standard deviation at most a tenth of it."""
    with np.errstate(invalid="ignore"):
        sure = (depth.inverse > 0) & (np.sqrt(depth.variance) <= SURE * depth.inverse)
    return np.asarray(sure, np.bool_)


def points(result: Result, depth: Depth, mask: Mask) -> NDArray[np.void]:
    """Points z K^-1 (x, y, 1) in camera axes (x right, y down, z forward), with their colours.

    Returns
    -------
    ndarray of `POINT`, shape (N,)
    """
    place = np.flatnonzero(mask)
    y, x = np.divmod(place, mask.shape[1])
    rays = np.linalg.inv(result.camera_matrix) @ np.stack([x, y, np.ones_like(x)])
    cloud = np.empty(len(place), POINT)
    cloud["x"], cloud["y"], cloud["z"] = rays / depth.inverse.ravel()[place]
    cloud["blue"], cloud["green"], cloud["red"] = result.pair.reference.image.reshape(-1, 3)[place].T
    return cloud


def encode(cloud: NDArray[np.void], comment: str) -> bytes:
    """Binary little-endian PLY."""
    fields = [f"property {PLY_TYPES[POINT[name].str]} {name}" for name in POINT.names or ()]
    header = [
        "ply",
        "format binary_little_endian 1.0",
        f"comment {comment}",
        f"element vertex {len(cloud)}",
        *fields,
        "end_header",
    ]
    return "\n".join([*header, ""]).encode() + cloud.tobytes()


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
            "invalid": f"absent: unknown, or standard deviation above {SURE:.0%}",
        }
        cloud = points(result, depth, sure_pixels(depth))
        self._folder.add(result, encode(cloud, f"unit {depth.unit}"), facts, points=len(cloud))

    def close(self) -> None:
        """Close the manifest."""
        self._folder.close()
