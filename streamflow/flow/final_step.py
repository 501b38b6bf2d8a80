"""The last Lucas-Kanade iteration, at full size: from two images and the half-size flow to the answer."""

import numpy as np

from streamflow.flow.box_sums import (
    RADIUS,
    new_window_rows,
    partial_sum,
    partial_sums,
    row_of,
    rows_of,
    sum_windows,
)
from streamflow.flow.lucas_kanade import SCRATCH_ROWS, linearise
from streamflow.flow.upsample import upsample_row
from streamflow.kernels.jit import inline_kernel, kernel

_KEPT_ROWS = RADIUS + 1


@inline_kernel(noalias=True)
def _rhs_terms(ix, iy, residual, out_x, out_y, xx, xy, yy):
    for x in range(len(residual)):
        xx[x], xy[x], yy[x] = ix[x] * ix[x], ix[x] * iy[x], iy[x] * iy[x]
        out_x[x], out_y[x] = ix[x] * residual[x], iy[x] * residual[x]


@inline_kernel(noalias=True)
def _solve(u, v, damping, out, partial_x, partial_y, partial_xx, partial_xy, partial_yy):
    for x in range(len(u)):
        a = partial_xx[x] + partial_xx[x + 3] + partial_xx[x + 6] + damping
        b = partial_xy[x] + partial_xy[x + 3] + partial_xy[x + 6]
        c = partial_yy[x] + partial_yy[x + 3] + partial_yy[x + 6] + damping
        share = np.float32(1) / (a * c - b * b)
        right_x = share * (damping * u[x] - partial_x[x] - partial_x[x + 3] - partial_x[x + 6])
        right_y = share * (damping * v[x] - partial_y[x] - partial_y[x + 3] - partial_y[x + 6])
        out[2 * x] = c * right_x - b * right_y
        out[2 * x + 1] = a * right_y - b * right_x


@kernel("void(uint8[:,::1], uint32[::1], float32[:,:,::1], float32[:,::1], float32)", fastmath=True)
def final_step(image, neighbours, half_size_flow, vectors, damping):
    """Do `upsample` and `lucas_kanade_step`, the normal matrix computed on the way, no residual.

    Parameters
    ----------
    image : ndarray, shape (H, W), uint8
        Reference, locally normalised.
    neighbours : ndarray, shape (H * W,), uint32
        Target, see `pack_neighbours`.
    half_size_flow : ndarray, shape (2, ceil(H / 2), ceil(W / 2))
    vectors : ndarray, shape (H, 2 W)
        Output: u and v in turn, pixels.
    """
    height, width = image.shape
    rows = new_window_rows(5, width)
    scratch = np.empty((SCRATCH_ROWS, width), np.float32)
    flow = np.empty((_KEPT_ROWS, 2, width), np.float32)
    for newest in range(height + RADIUS):
        if newest < height:
            u, v = flow[newest % _KEPT_ROWS, 0], flow[newest % _KEPT_ROWS, 1]
            upsample_row(half_size_flow[0], newest, u)
            upsample_row(half_size_flow[1], newest, v)
            ix, iy, residual, _ = linearise(image, neighbours, u, v, newest, np.float32(1), scratch)
            rhs_x, rhs_y = row_of(rows, newest, 3, width), row_of(rows, newest, 4, width)
            _rhs_terms(ix, iy, residual, rhs_x, rhs_y, *rows_of(rows, newest, width))
        else:
            rows[newest % 3] = 0
        sum_windows(rows, newest)
        y = newest - RADIUS
        if y >= 0:
            u, v = flow[y % _KEPT_ROWS, 0], flow[y % _KEPT_ROWS, 1]
            partial_x, partial_y = partial_sum(rows, 3, width), partial_sum(rows, 4, width)
            _solve(u, v, damping, vectors[y], partial_x, partial_y, *partial_sums(rows, width))
