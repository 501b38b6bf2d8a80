"""Inverse depth in 16 bits, as the PNG and the FFV1 sink store it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamflow.values import Depth, Map, Result

LARGEST = 2**16 - 1
ROOM = 2.5  # factor by which a later picture of the segment may be nearer
OUTLIER = 16  # times the 99.9th percentile: what is nearer does not count


class SegmentScale:
    """The scale of a stream's pictures: one a segment and unit, so that a wall keeps its grey value.

    It leaves room for what is 2.5 times nearer than the nearest pixel of the segment's first picture; what
    is nearer still saturates.

    Parameters
    ----------
    limits : (near, far) depths that the user named; the near one decides.
    """

    def __init__(self, limits: tuple[float, float] | None = None) -> None:
        self._fixed = None if limits is None else LARGEST * limits[0]
        self._of: tuple[int, str] | None = None
        self._scale = 1.0

    def __call__(self, depth: Depth, segment: int) -> float:
        """Return the scale for the newest depth of a segment."""
        if self._fixed is not None:
            return self._fixed
        if self._of != (segment, depth.unit) and (nearest := _nearest(depth.inverse)):
            self._of, self._scale = (segment, depth.unit), LARGEST / (ROOM * nearest)
        return self._scale


def encode(inverse: Map, scale: float) -> NDArray[np.uint16]:
    """Store inverse depth as `round(inverse * scale)`, 0 where unknown; a known pixel is at least 1.

    The error is at most 0.5 / scale: below 0.1% down to a 40th of the nearest pixel's inverse depth for a
    scale that leaves room.

    Parameters
    ----------
    inverse : ndarray, shape (H, W)
        Inverse depth; what is not positive (NaN, behind the camera) is unknown.
    scale : float
        See `SegmentScale`.
    """
    known = inverse > 0
    stored = np.zeros(inverse.shape, np.uint16)
    stored[known] = np.clip(np.rint(inverse[known] * scale), 1, LARGEST)
    return stored


def decode(stored: NDArray[np.uint16], scale: float) -> Map:
    """Inverse depth, NaN where unknown."""
    return np.where(stored > 0, stored / np.float64(scale), np.nan).astype(np.float32)


def facts(depth: Depth) -> dict[str, Any]:
    """What a sidecar says of the stored numbers."""
    return {
        "quantity": "inverse depth",
        "unit": f"1/{depth.unit}",
        "stored": "round(inverse depth * scale), uint16; each segment has a scale, in the manifest",
        "invalid": 0,
        "saturated": f"{LARGEST}: this near, or nearer",
    }


def line(result: Result, scale: float) -> dict[str, Any]:
    """What the manifest says of one picture: how to read it, and why it may be black."""
    depth = result.depth
    assert depth is not None
    return {
        "scale": scale,
        "unit": f"1/{depth.unit}",
        "status": result.motion and result.motion.status,
        "held": depth.held,
        "known": round(float(np.isfinite(depth.inverse).mean()), 4),
    }


def _nearest(inverse: Map) -> float | None:
    """Largest inverse depth; single pixels far nearer than all others do not count."""
    values = inverse[np.isfinite(inverse) & (inverse > 0)]
    return min(float(values.max()), OUTLIER * float(np.percentile(values, 99.9))) if values.size else None
