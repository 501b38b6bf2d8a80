"""Coloured points as binary PLY."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from streamflow.values import Image

POINT = np.dtype([("xyz", "<f4", 3), ("rgb", "u1", 3)])
HEADER = """\
ply
format binary_little_endian 1.0
comment {comment}
element vertex {count}
property float x
property float y
property float z
property uchar red
property uchar green
property uchar blue
end_header
"""


def encode(points: NDArray[np.floating], colours: Image, comment: str = "") -> bytes:
    """Binary little-endian PLY.

    Parameters
    ----------
    points : ndarray, shape (N, 3)
    colours : ndarray of uint8, shape (N, 3)
        BGR.
    comment : str
        One line for the header.
    """
    cloud = np.empty(len(points), POINT)
    cloud["xyz"], cloud["rgb"] = points, colours[:, ::-1]
    return HEADER.format(comment=comment, count=len(points)).encode() + cloud.tobytes()


def decode(data: bytes) -> tuple[NDArray[np.float32], Image]:
    """Points (N, 3) and their colours (N, 3) BGR, of what `encode` wrote.

    Raises
    ------
    ValueError
        `data` is not a whole file of this kind.
    """
    header, _, values = data.partition(b"end_header\n")
    count = re.search(rb"^element vertex (\d+)$", header, re.MULTILINE)
    if not header.startswith(b"ply\nformat binary_little_endian") or count is None:
        raise ValueError("not a binary PLY file")
    if len(values) != int(count[1]) * POINT.itemsize:
        raise ValueError(f"{int(count[1])} coloured points were announced; the file has another length")
    cloud = np.frombuffer(values, POINT)
    return cloud["xyz"].astype(np.float32), cloud["rgb"][:, ::-1].copy()
