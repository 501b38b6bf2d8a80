"""Portable float map with one channel."""

from __future__ import annotations

import re

import numpy as np

from streamflow.values import Map


def encode(values: Map) -> bytes:
    """One channel (Pf), little-endian (a negative scale), bottom row first."""
    height, width = values.shape
    return f"Pf\n{width} {height}\n-1.0\n".encode() + values[::-1].astype("<f4").tobytes()


def decode(data: bytes) -> Map:
    """Values (H, W), top row first.

    Raises
    ------
    ValueError
        `data` is not a whole file of this format.
    """
    header = re.match(rb"Pf\s+(\d+)\s+(\d+)\s+(-?[\d.eE+-]+)\s", data)
    if header is None:
        raise ValueError("not a PFM file with one channel")
    width, height, scale = int(header[1]), int(header[2]), float(header[3])
    if len(data) != header.end() + 4 * width * height:
        raise ValueError(f"{width}x{height} values were announced; the file has another length")
    values = np.frombuffer(data, "<f4" if scale < 0 else ">f4", offset=header.end())
    return values.reshape(height, width)[::-1].astype(np.float32)
