"""The Lucas-Kanade system of every window, in closed form, and its confidence smin.

Around each pixel, the flow (u, v) is the least-squares solution of Ix u + Iy v = -It over a window [1]_.

.. [1] B. Lucas and T. Kanade, "An iterative image registration technique with an application to stereo
   vision", IJCAI 1981, equations 9-10.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from streamflow.compiler import kernel
from streamflow.values import Map, Vectors

RADIUS = 2  # pixels: windows of 5x5
FLAT = 1e-30  # larger eigenvalue that is as good as zero
RANK_TOLERANCE = 1e-13  # smaller eigenvalue over the larger one below which a window has rank one

Sums = NDArray[np.float64]  # (H, W)


def lucas_kanade(ix: Map, iy: Map, it: Map) -> tuple[Vectors, Map]:
    """Solve one linearised step of dense Lucas-Kanade.

    Parameters
    ----------
    ix, iy, it : ndarray of float32, shape (H, W)
        Derivatives, grey levels per pixel and per frame. Windows are 5x5, cut off at the border.

    Returns
    -------
    vectors : ndarray of float32, shape (H, W, 2)
        (u, v), pixels. Windows of rank one get the solution of smallest norm, flat windows zero.
    smin : ndarray of float32, shape (H, W)
        Smallest singular value of the window's [Ix Iy], grey levels per pixel.
    """
    a, b, c, larger, det = _structure(ix, iy)
    p, q = _window_sum(ix, it), _window_sum(iy, it)
    full = det > RANK_TOLERANCE * larger**2
    with np.errstate(divide="ignore", invalid="ignore"):
        u = np.where(full, (b * q - c * p) / det, 0)
        v = np.where(full, (b * p - a * q) / det, 0)
    edge_u, edge_v = _smallest_norm(a, b, c, larger, p, q)
    vectors = np.stack([np.where(full, u, edge_u), np.where(full, v, edge_v)], axis=-1)
    return vectors.astype(np.float32), _smin(larger, det)


def smallest_singular_value(ix: Map, iy: Map) -> Map:
    """Compute only the smin of `lucas_kanade`, and fast.

    Parameters
    ----------
    ix, iy : ndarray of float32, shape (H, W)

    Returns
    -------
    smin : ndarray of float32, shape (H, W)
    """
    smin = np.empty(ix.shape, np.float32)
    _smallest_singular_value(np.ascontiguousarray(ix), np.ascontiguousarray(iy), smin)
    return smin


@kernel()
def _smallest_singular_value(ix, iy, smin):
    """Write smin; sums in double precision, each afresh: a straight edge has a smin of zero, not of rounding.

    Loops over a row that do one thing: only then does the compiler vectorise them.
    """
    height, width = ix.shape
    columns = np.zeros((3, width + 2 * RADIUS))  # sums over the window's rows, with a margin of zeros
    sums = np.empty((3, width))
    for y in range(height):
        columns[:] = 0
        for row in range(max(0, y - RADIUS), min(height, y + RADIUS + 1)):
            for x in range(width):
                gx, gy = np.float64(ix[row, x]), np.float64(iy[row, x])
                columns[0, x + RADIUS] += gx * gx
                columns[1, x + RADIUS] += gx * gy
                columns[2, x + RADIUS] += gy * gy
        for k in range(3):
            column = columns[k]
            for x in range(width):
                sums[k, x] = column[x] + column[x + 1] + column[x + 2] + column[x + 3] + column[x + 4]
        for x in range(width):
            a, b, c = sums[0, x], sums[1, x], sums[2, x]
            larger = (a + c) / 2 + np.sqrt((a - c) * (a - c) / 4 + b * b)
            smin[y, x] = np.sqrt(max((a * c - b * b) / max(larger, FLAT), 0.0))


def _structure(ix: Map, iy: Map) -> tuple[Sums, Sums, Sums, Sums, Sums]:
    """Entries a, b, c of the window's [[a, b], [b, c]], its larger eigenvalue and its determinant."""
    a, b, c = (_window_sum(x, y) for x, y in ((ix, ix), (ix, iy), (iy, iy)))
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


def _window_sum(x: Map, y: Map) -> Sums:
    """Sum of x y over the window; what lies outside the image counts as zero, which cuts the window off."""
    product = np.multiply(x, y, dtype=np.float64)
    summed = cv2.boxFilter(
        product, cv2.CV_64F, (2 * RADIUS + 1, 2 * RADIUS + 1), normalize=False, borderType=cv2.BORDER_CONSTANT
    )
    return np.asarray(summed, np.float64)
