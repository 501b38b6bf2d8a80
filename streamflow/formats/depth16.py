"""Inverse depth in 16 bits, as the PNG and the FFV1 sink store it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamflow.values import Depth, Map

LARGEST = 2**16 - 1


def encode(inverse: Map) -> tuple[NDArray[np.uint16], float]:
    """Store inverse depth as `round(inverse * scale)`.

    The scale is a power of two, so that it divides out exactly, and as large as the nearest pixel
    allows; what is nearer than 16 times the 99.9th percentile does not count, and saturates. The
    error is at most 0.5 / scale: below 0.1% down to a 60th of the nearest pixel's inverse depth.

    Parameters
    ----------
    inverse : ndarray, shape (H, W)
        Inverse depth; what is not positive (NaN, behind the camera) is unknown.

    Returns
    -------
    stored : ndarray of uint16, shape (H, W)
        0 where unknown; a known pixel is at least 1.
    scale : float
    """
    known = inverse > 0
    values = inverse[known]
    scale = _scale(values)
    stored = np.zeros(inverse.shape, np.uint16)
    stored[known] = np.clip(np.rint(values * scale), 1, LARGEST)
    return stored, scale


def decode(stored: NDArray[np.uint16], scale: float) -> Map:
    """Inverse depth, NaN where unknown."""
    return np.where(stored > 0, stored / np.float64(scale), np.nan).astype(np.float32)


def facts(depth: Depth) -> dict[str, Any]:
    """What a sidecar says of the stored numbers."""
    return {
        "quantity": "inverse depth",
        "unit": f"1/{depth.unit}",
        "stored": "round(inverse depth * scale), uint16; the scale of each picture is in the manifest",
        "invalid": 0,
        "saturated": f"{LARGEST}: this near, or nearer",
    }


def _scale(values: NDArray[np.float32]) -> float:
    values = values[np.isfinite(values)]
    if not values.size:
        return 1.0
    nearest = min(float(values.max()), 16 * float(np.percentile(values, 99.9)))
    return float(2.0 ** np.floor(np.log2(LARGEST / nearest)))
