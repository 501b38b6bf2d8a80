"""The last Lucas-Kanade iteration, at full size: from two images and the half-size flow to the answer."""

import numpy as np

from streamflow.flow.box_sums import (
    RADIUS,
    new_window_rows,
    row_of,
    rows_of,
    sum_windows,
    third_of,
    thirds_of,
)
from streamflow.flow.lucas_kanade import SCRATCH_ROWS, linearise
from streamflow.flow.upsample import upsample_row
from streamflow.kernels.jit import kernel, part

_KEPT_ROWS = RADIUS + 1


@part(disjoint=True)
def _votes(across, down, rest, out_x, out_y, xx, xy, yy):
    for x in range(len(rest)):
        xx[x], xy[x], yy[x] = across[x] * across[x], across[x] * down[x], down[x] * down[x]
        out_x[x], out_y[x] = across[x] * rest[x], down[x] * rest[x]


@part(disjoint=True)
def _solve(u, v, damping, out, thirds_x, thirds_y, thirds_xx, thirds_xy, thirds_yy):
    for x in range(len(u)):
        a = thirds_xx[x] + thirds_xx[x + 3] + thirds_xx[x + 6] + damping
        b = thirds_xy[x] + thirds_xy[x + 3] + thirds_xy[x + 6]
        c = thirds_yy[x] + thirds_yy[x + 3] + thirds_yy[x + 6] + damping
        share = np.float32(1) / (a * c - b * b)
        right_x = share * (damping * u[x] - thirds_x[x] - thirds_x[x + 3] - thirds_x[x + 6])
        right_y = share * (damping * v[x] - thirds_y[x] - thirds_y[x + 3] - thirds_y[x + 6])
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
            across, down, rest, _ = linearise(image, neighbours, u, v, newest, np.float32(1), scratch)
            votes_x, votes_y = row_of(rows, newest, 3, width), row_of(rows, newest, 4, width)
            _votes(across, down, rest, votes_x, votes_y, *rows_of(rows, newest, width))
        else:
            rows[newest % 3] = 0
        sum_windows(rows, newest)
        y = newest - RADIUS
        if y >= 0:
            u, v = flow[y % _KEPT_ROWS, 0], flow[y % _KEPT_ROWS, 1]
            thirds_x, thirds_y = third_of(rows, 3, width), third_of(rows, 4, width)
            _solve(u, v, damping, vectors[y], thirds_x, thirds_y, *thirds_of(rows, width))
