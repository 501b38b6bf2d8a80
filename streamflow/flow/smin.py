"""The confidence smin: smallest singular value of the gradient system [Ix Iy] of every 5x5 window."""

import numpy as np

from streamflow.flow.exact_sums import RADIUS, new_column_sums, slide_structure, structure_sums, sum_windows
from streamflow.kernels.jit import inline_kernel, kernel
from streamflow.values import Map

ROUNDED_ALIKE = {"nnan", "ninf", "nsz"}  # no fused a c - b b: on a straight edge both round to the same


def smallest_singular_value(ix: Map, iy: Map) -> Map:
    """Return the smin that `lucas_kanade` finds, in less time.

    Parameters
    ----------
    ix, iy : ndarray of float32, shape (H, W)
        Derivatives of an 8-bit image, grey levels per pixel.

    Returns
    -------
    smin : ndarray of float32, shape (H, W)
        Grey levels per pixel.
    """
    smin = np.empty(ix.shape, np.float32)
    _smallest_singular_value(np.ascontiguousarray(ix), np.ascontiguousarray(iy), smin)
    return smin


@inline_kernel(fastmath=ROUNDED_ALIKE)
def eigenvalues(a, b, c):
    """Return the smaller and the larger eigenvalue of [[a, b], [b, c]], in single precision.

    The smaller is the determinant, which alone needs every digit, over the larger: the difference of the half
    sum and the half difference would cancel.
    """
    mean, half = np.float32((a + c) / 2), np.float32((a - c) / 2)
    larger = mean + np.sqrt(half * half + np.float32(b) * np.float32(b))
    smaller = np.float32(a * c - b * b) / max(larger, np.float32(1e-30))
    return max(smaller, np.float32(0)), larger


@inline_kernel(noalias=True, fastmath=ROUNDED_ALIKE)
def _solve(smin, a, b, c):
    for x in range(len(smin)):
        smin[x] = np.sqrt(eigenvalues(a[x], b[x], c[x])[0])


@kernel()
def _smallest_singular_value(ix, iy, smin):
    height, width = ix.shape
    sums, zeros = new_column_sums(3, width), np.zeros(width, np.float32)
    for newest in range(height + RADIUS):
        slide_structure(ix, iy, newest, zeros, sums)
        if newest >= RADIUS:
            sum_windows(sums)
            _solve(smin[newest - RADIUS], *structure_sums(sums, width))
