"""One round at one level: a Lucas-Kanade iteration, window shift and smoothing, in one pass over the rows."""

import numpy as np

from streamflow.flow.box_sums import RADIUS, new_window_rows, sum_windows
from streamflow.flow.lucas_kanade import SCRATCH_ROWS, accumulate_rhs, solve
from streamflow.flow.smoothing import take_mean, weigh
from streamflow.flow.window_shift import KEPT_ROWS, OFFSET, shift_across, shift_down
from streamflow.kernels.jit import kernel


@kernel(
    "void(uint8[:,::1], float32[:,:,::1], float32[:,::1], uint32[::1], float32[:,:,::1], float32[:,::1],"
    " float32, float32, float32, float32)",
    fastmath=True,
)
def refine(
    image,
    inverse,
    smallest_eigenvalue,
    neighbours,
    flow,
    ssd,
    outside_ssd,
    damping,
    translate_window,
    penalty,
):
    """Do `lucas_kanade_step`, `shift_across`, `shift_down` and `confidence_weighted_mean`.

    Each step follows the one before as soon as the rows it needs are there: these are still near, and little
    is written back to memory.
    """
    height, width = image.shape
    rhs, weighted = new_window_rows(3, width), new_window_rows(3, width)
    scratch = np.empty((SCRATCH_ROWS, width), np.float32)
    solved = np.empty((3, width + 2 * OFFSET), np.float32)
    beside = np.empty((KEPT_ROWS, 3, width), np.float32)
    for newest in range(height + 2 * RADIUS + OFFSET):
        if newest < height:
            accumulate_rhs(image, neighbours, flow, newest, outside_ssd, translate_window, scratch, rhs)
        else:
            rhs[newest % 3] = 0
        sum_windows(rhs, newest)
        y = newest - RADIUS
        if 0 <= y < height:
            inner = slice(OFFSET, OFFSET + width)
            u, v, own_ssd = solved[0, inner], solved[1, inner], solved[2, inner]
            solve(rhs, inverse, flow, y, damping, translate_window, u, v, own_ssd)
            shift_across(solved, penalty, beside[y % KEPT_ROWS])
        y -= OFFSET
        if y < 0:
            continue
        if y < height:
            shift_down(beside, y, height, penalty, scratch[0], scratch[1], ssd[y])
            weigh(scratch[0], scratch[1], ssd[y], smallest_eigenvalue[y], y, weighted)
        else:
            weighted[y % 3] = 0
        sum_windows(weighted, y)
        if y >= RADIUS:
            take_mean(weighted, flow, y - RADIUS)
