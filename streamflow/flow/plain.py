"""The Lucas-Kanade system of every window, in closed form, and its confidence smin.

Around each pixel, the flow (u, v) is the least-squares solution of Ix u + Iy v = -It over a window [1]_.

.. [1] B. Lucas and T. Kanade, "An iterative image registration technique with an application to stereo
   vision", IJCAI 1981, equations 9-10.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from streamflow.kernels.jit import kernel, part
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
    """Write smin; sums in double precision, each afresh: a straight edge has one of zero, not of rounding."""
    height, width = ix.shape
    side = 2 * RADIUS + 1
    products = np.zeros((3, side, width))  # of the window's rows
    columns = np.zeros(width + 2 * RADIUS)  # sums over them, with a margin of zeros
    sums = np.empty((3, width))
    for newest in range(height + RADIUS):
        row = newest % side
        if newest < height:
            _multiply(ix[newest], iy[newest], products[0, row], products[1, row], products[2, row])
        else:
            products[:, row] = 0
        if newest >= RADIUS:
            for k in range(3):
                _sum_down(products[k], columns[RADIUS : RADIUS + width])
                _sum_across(columns, sums[k])
            _solve(sums[0], sums[1], sums[2], smin[newest - RADIUS])


@part(disjoint=True, fastmath=False)
def _multiply(ix, iy, xx, xy, yy):
    for x in range(len(ix)):
        gx, gy = np.float64(ix[x]), np.float64(iy[x])
        xx[x], xy[x], yy[x] = gx * gx, gx * gy, gy * gy


@part(disjoint=True, fastmath=False)
def _sum_down(rows, out):
    for x in range(len(out)):
        out[x] = rows[0, x] + rows[1, x] + rows[2, x] + rows[3, x] + rows[4, x]


@part(disjoint=True, fastmath=False)
def _sum_across(columns, out):
    for x in range(len(out)):
        out[x] = columns[x] + columns[x + 1] + columns[x + 2] + columns[x + 3] + columns[x + 4]


@part(disjoint=True, fastmath=False)
def _solve(a, b, c, smin):
    """The determinant needs every digit, what follows does not."""
    for x in range(len(smin)):
        mean, half = np.float32((a[x] + c[x]) / 2), np.float32((a[x] - c[x]) / 2)
        larger = mean + np.sqrt(half * half + np.float32(b[x]) * np.float32(b[x]))
        smaller = np.float32(a[x] * c[x] - b[x] * b[x]) / max(larger, np.float32(FLAT))
        smin[x] = np.sqrt(max(smaller, np.float32(0)))


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
