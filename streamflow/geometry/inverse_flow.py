"""Flow the other way: on the frame that it leads to."""

from __future__ import annotations

import cv2
import numpy as np

from streamflow.values import Map, Vectors

ROUNDS = 8
SETTLED = 0.5  # pixels between the last two rounds


def inverted(vectors: Vectors) -> Vectors:
    """(H, W, 2) flow on the frame that `vectors` lead to, NaN where none of them leads for sure.

    The fixed point of f(y) = -b(y + f(y)) (Chen et al. 2008, A simple fixed-point approach to invert a
    deformation field): gathered, so that a stretched surface has no holes.
    """
    forward = last = np.zeros_like(vectors)
    for _ in range(ROUNDS):
        last, forward = forward, -at_ends_of(forward, vectors)
    height, width = vectors.shape[:2]
    x, y = _ends(forward)
    with np.errstate(invalid="ignore"):
        known = np.abs(forward - last).max(axis=-1) < SETTLED
        known &= (np.abs(2 * x - width + 1) <= width) & (np.abs(2 * y - height + 1) <= height)
    return np.where(known[..., None], forward, np.nan).astype(np.float32)


def at_ends_of(vectors: Vectors, values: Map | Vectors) -> Map | Vectors:
    """`values` of another frame at the points where `vectors` end, or of the border nearest to these."""
    return np.asarray(
        cv2.remap(values, *_ends(vectors), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32
    )


def _ends(vectors: Vectors) -> tuple[Map, Map]:
    """(H, W) x and y that the vectors lead to."""
    x, y = np.meshgrid(*(np.arange(length, dtype=np.float32) for length in vectors.shape[1::-1]))
    return x + vectors[..., 0], y + vectors[..., 1]
