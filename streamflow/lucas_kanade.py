"""The Lucas-Kanade system of every window, in closed form, and its confidence smin.

Around each pixel, the flow (u, v) is the least-squares solution of Ix u + Iy v = -It over a window [1]_.

.. [1] B. Lucas and T. Kanade, "An iterative image registration technique with an application to stereo
   vision", IJCAI 1981, equations 9-10.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from streamflow.values import Map, Vectors

WINDOW = 5  # pixels, side of the window
RANK_TOLERANCE = 1e-13  # smaller eigenvalue over the larger one below which a window has rank one

Sums = NDArray[np.float64]  # (H, W)


def lucas_kanade(ix: Map, iy: Map, it: Map, window: int = WINDOW) -> tuple[Vectors, Map]:
    """Solve one linearised step of dense Lucas-Kanade.

    Parameters
    ----------
    ix, iy, it : ndarray of float32, shape (H, W)
        Derivatives, grey levels per pixel and per frame.
    window : int
        Side of the window, pixels; at the border it is cut off.

    Returns
    -------
    vectors : ndarray of float32, shape (H, W, 2)
        (u, v), pixels. Windows of rank one get the solution of smallest norm, flat windows zero.
    smin : ndarray of float32, shape (H, W)
        Smallest singular value of the window's [Ix Iy], grey levels per pixel.
    """
    a, b, c, larger, det = _structure(ix, iy, window)
    p, q = _window_sum(ix, it, window), _window_sum(iy, it, window)
    full = det > RANK_TOLERANCE * larger**2
    with np.errstate(divide="ignore", invalid="ignore"):
        u = np.where(full, (b * q - c * p) / det, 0)
        v = np.where(full, (b * p - a * q) / det, 0)
    edge_u, edge_v = _smallest_norm(a, b, c, larger, p, q)
    vectors = np.stack([np.where(full, u, edge_u), np.where(full, v, edge_v)], axis=-1)
    return vectors.astype(np.float32), _smin(larger, det)


def smallest_singular_value(ix: Map, iy: Map, window: int = WINDOW) -> Map:
    """Compute only the smin of `lucas_kanade`."""
    *_, larger, det = _structure(ix, iy, window)
    return _smin(larger, det)


def _structure(ix: Map, iy: Map, window: int) -> tuple[Sums, Sums, Sums, Sums, Sums]:
    """Entries a, b, c of the window's [[a, b], [b, c]], its larger eigenvalue and its determinant."""
    a, b, c = (_window_sum(x, y, window) for x, y in ((ix, ix), (ix, iy), (iy, iy)))
    larger = (a + c) / 2 + np.hypot((a - c) / 2, b)
    return a, b, c, larger, a * c - b * b


def _smin(larger: Sums, det: Sums) -> Map:
    # det / larger keeps the digits that (a + c) / 2 - hypot would cancel.
    eigenvalue = np.divide(det, larger, out=np.zeros_like(det), where=larger > 0)
    return np.sqrt(np.maximum(eigenvalue, 0)).astype(np.float32)


def _smallest_norm(a: Sums, b: Sums, c: Sums, larger: Sums, p: Sums, q: Sums) -> tuple[Sums, Sums]:
    """Solution along the dominant eigenvector only."""
    steep = a >= c
    x = np.where(steep, larger - c, b)
    y = np.where(steep, b, larger - a)
    scale = larger * (x * x + y * y)
    along = np.divide(-(x * p + y * q), scale, out=np.zeros_like(scale), where=scale > 0)
    return x * along, y * along


def _window_sum(x: Map, y: Map, window: int) -> Sums:
    """Sum of x y over the window; what lies outside the image counts as zero, which cuts the window off."""
    product = np.multiply(x, y, dtype=np.float64)
    summed = cv2.boxFilter(
        product, cv2.CV_64F, (window, window), normalize=False, borderType=cv2.BORDER_CONSTANT
    )
    return np.asarray(summed, np.float64)
