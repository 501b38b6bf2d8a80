"""Plain Lucas-Kanade: the least-squares system of every window in closed form, at one scale.

Around each pixel, the flow (u, v) is the least-squares solution of Ix u + Iy v = -It over a window [1]_.
It is linearised once: what moves by more than about a pixel is beyond it.

.. [1] B. Lucas and T. Kanade, "An iterative image registration technique with an application to stereo
   vision", IJCAI 1981, equations 9-10.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from streamflow.flow.exact_sums import (
    RADIUS,
    SIDE,
    column_sum,
    new_column_sums,
    row_or_zeros,
    slide,
    slide_structure,
    structure_sums,
    sum_windows,
    window_sum,
)
from streamflow.flow.smin import ROUNDED_ALIKE, eigenvalues
from streamflow.flow.upsample import interleave
from streamflow.kernels.derivatives import space_derivatives, time_derivative
from streamflow.kernels.jit import inline_kernel, kernel
from streamflow.values import Image, Map, Vectors

RANK_TOLERANCE = 1e-13  # smaller eigenvalue over the larger one below which a window has rank one
ROUNDING = 2 / 12  # variance of It, grey levels squared: both images are whole numbers
CORRELATION = (
    1.6  # the kernels spread noise over neighbours, whose residuals are so not independent: measured
)


class PlainFrame(NamedTuple):
    """A grey image (H, W) and its derivatives Ix, Iy, (H, W) each, grey levels per pixel."""

    grey: Image
    ix: Map
    iy: Map


class PlainFlow:
    """The textbook method in the place of `FlowEngine`."""

    def prepare(self, grey: Image) -> PlainFrame:
        """Compute the spatial derivatives of one frame."""
        return PlainFrame(grey, *space_derivatives(grey))

    def flow(
        self, reference: PlainFrame, target: PlainFrame, start: Vectors | None = None
    ) -> tuple[Vectors, Map]:
        """Return vectors (H, W, 2) and sigma (H, W), pixels; one linear step has no use for a `start`.

        Sigma is the standard deviation of least squares in the direction that is known worst: the deviation
        of a window's residuals over smin. It is infinite where the gradient leaves a direction open.
        """
        it = time_derivative(reference.grey, target.grey)
        vectors, smin = lucas_kanade(reference.ix, reference.iy, it)
        with np.errstate(divide="ignore"):
            return vectors, np.divide(CORRELATION * _residual_deviation(reference, it, vectors), smin)


def _residual_deviation(frame: PlainFrame, it: Map, vectors: Vectors) -> Map:
    """Standard deviation of It + Ix u + Iy v about each pixel, its own (u, v) held over the window."""
    u, v = vectors[..., 0], vectors[..., 1]
    tt, xt, yt = (
        cv2.boxFilter(d * it, -1, (SIDE, SIDE), borderType=cv2.BORDER_REFLECT)
        for d in (it, frame.ix, frame.iy)
    )
    return np.asarray(np.sqrt(np.maximum(tt + u * xt + v * yt, 0) + ROUNDING), np.float32)


def lucas_kanade(ix: Map, iy: Map, it: Map) -> tuple[Vectors, Map]:
    """Solve one linearised step of dense Lucas-Kanade.

    Parameters
    ----------
    ix, iy, it : ndarray of float32, shape (H, W)
        Derivatives of 8-bit images, grey levels per pixel and per frame. Windows are 5x5, cut off at the
        border.

    Returns
    -------
    vectors : ndarray of float32, shape (H, W, 2)
        (u, v), pixels. Windows of rank one get the solution of smallest norm, flat windows zero.
    smin : ndarray of float32, shape (H, W)
        Smallest singular value of the window's [Ix Iy], grey levels per pixel.
    """
    height, width = ix.shape
    vectors, smin = np.empty((height, width, 2), np.float32), np.empty((height, width), np.float32)
    _lucas_kanade(*(np.ascontiguousarray(d) for d in (ix, iy, it)), vectors.reshape(height, -1), smin)
    return vectors, smin


@inline_kernel(noalias=True, fastmath=ROUNDED_ALIKE)
def _determinants(det, det_u, det_v, p, q, a, b, c):
    """Write what Cramer's rule divides, in double precision: here digits cancel."""
    for x in range(len(det)):
        det[x] = a[x] * c[x] - b[x] * b[x]
        det_u[x], det_v[x] = b[x] * q[x] - c[x] * p[x], b[x] * p[x] - a[x] * q[x]


@inline_kernel(noalias=True, fastmath=ROUNDED_ALIKE)
def _divide(smin, det, det_u, det_v, a, b, c):
    """Turn the determinants into the flow, in place; return how many of the matrices have full rank."""
    full, tiny = np.int32(0), np.float32(1e-30)
    for x in range(len(smin)):
        _, larger = eigenvalues(a[x], b[x], c[x])
        determinant = max(det[x], np.float32(0))
        share = np.float32(1) / max(determinant, tiny)
        det_u[x], det_v[x] = det_u[x] * share, det_v[x] * share
        smin[x] = np.sqrt(determinant / max(larger, tiny))
        full += np.int32(determinant > np.float32(RANK_TOLERANCE) * larger * larger)
    return full


@inline_kernel(fastmath=False)
def _solve_deficient(u, v, p, q, a, b, c):
    """Where the rank is one, take the solution of smallest norm: along the dominant eigenvector."""
    for x in range(len(u)):
        smaller, larger = eigenvalues(a[x], b[x], c[x])
        if smaller > np.float32(RANK_TOLERANCE) * larger:
            continue
        # The eigenvector, from the row of the matrix in which nothing cancels
        ex, ey = (larger - c[x], b[x]) if a[x] >= c[x] else (b[x], larger - a[x])
        along = -(ex * p[x] + ey * q[x]) / max(larger * (ex * ex + ey * ey), 1e-30)
        u[x], v[x] = ex * along, ey * along


@kernel()
def _lucas_kanade(ix, iy, it, vectors, smin):
    """Write the flow, u and v in turn, and smin."""
    height, width = ix.shape
    sums, zeros = new_column_sums(5, width), np.zeros(width, np.float32)
    det, u, v = np.empty(width, np.float32), np.empty(width, np.float32), np.empty(width, np.float32)
    for newest in range(height + RADIUS):
        slide_structure(ix, iy, newest, zeros, sums)
        gt, old_gt = row_or_zeros(it, newest, zeros), row_or_zeros(it, newest - SIDE, zeros)
        for k, gradient in ((3, ix), (4, iy)):
            g, old_g = row_or_zeros(gradient, newest, zeros), row_or_zeros(gradient, newest - SIDE, zeros)
            slide(g, gt, old_g, old_gt, column_sum(sums, k, width))
        y = newest - RADIUS
        if y >= 0:
            sum_windows(sums)
            p, q = window_sum(sums, 3, width), window_sum(sums, 4, width)
            _determinants(det, u, v, p, q, *structure_sums(sums, width))
            if _divide(smin[y], det, u, v, *structure_sums(sums, width)) < width:
                _solve_deficient(u, v, p, q, *structure_sums(sums, width))
            interleave(u, v, vectors[y])
