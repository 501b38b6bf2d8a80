"""Optical flow in Middlebury's format (Baker et al. 2011, A database and evaluation methodology)."""

from __future__ import annotations

import struct

import numpy as np

from streamflow.values import Vectors

HEADER = struct.Struct("<fii")  # tag, width, height
TAG = 202021.25  # the bytes "PIEH"
UNKNOWN = np.float32(1e10)
UNKNOWN_ABOVE = 1e9  # what readers take for unknown


def encode(vectors: Vectors) -> bytes:
    """Header, then u and v interleaved, row by row: little-endian float32.

    Parameters
    ----------
    vectors : ndarray of float32, shape (H, W, 2)
        Pixels; a vector with a component that is not finite is unknown.
    """
    height, width = vectors.shape[:2]
    known = np.isfinite(vectors).all(axis=2, keepdims=True)
    return HEADER.pack(TAG, width, height) + np.where(known, vectors, UNKNOWN).astype("<f4").tobytes()


def decode(data: bytes) -> Vectors:
    """Flow (H, W, 2) in pixels, NaN where unknown.

    Raises
    ------
    ValueError
        `data` is not a whole file of this format.
    """
    if len(data) < HEADER.size or HEADER.unpack_from(data)[0] != TAG:
        raise ValueError("not a Middlebury .flo file")
    _, width, height = HEADER.unpack_from(data)
    if len(data) != HEADER.size + 8 * width * height:
        raise ValueError(f"{width}x{height} vectors were announced; the file has another length")
    vectors = np.frombuffer(data, "<f4", offset=HEADER.size).reshape(height, width, 2).astype(np.float32)
    vectors[~(np.abs(vectors) <= UNKNOWN_ABOVE).all(axis=2)] = np.nan
    return vectors
