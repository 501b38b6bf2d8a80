"""Window shift: at a motion boundary, take the flow of the window beside that fits better."""

import numpy as np

from streamflow.compiler import kernel

OFFSET = 3


@kernel(fastmath=True)
def _pad(image, y, out):
    width = image.shape[1]
    for x in range(width):
        out[x + OFFSET] = image[y, x]
    out[:OFFSET] = image[y, 0]
    out[width + OFFSET :] = image[y, width - 1]


@kernel(fastmath=True)
def _choose(residual_1, residual_2, residual_0, penalty, value_1, value_2, value_0, out):
    """Write, for a row, the value whose residual is smallest; those of 1 and 2 count `penalty` times."""
    for x in range(len(out)):
        first, second, own = residual_1[x], residual_2[x], residual_0[x]
        beside_1, beside_2, here = value_1[x], value_2[x], value_0[x]
        beside = beside_1 if first <= second else beside_2
        out[x] = beside if min(first, second) * penalty < own else here


@kernel("void(float32[:,:,::1], float32[:,::1], float32, float32[:,:,::1], float32[:,::1])", fastmath=True)
def shift_windows(flow, residual, penalty, scratch, scratch_residual):
    """Replace, in place, a pixel's flow by that of a window 3 pixels beside it where that fits better.

    First left or right, then above or below.

    Parameters
    ----------
    flow : ndarray, shape (2, H, W)
    residual : ndarray, shape (H, W)
        Of the pixel's own window.
    penalty : float
        A neighbour's residual counts this many times.
    scratch, scratch_residual : ndarray, shapes of flow and residual

    References
    ----------
    D. Scharstein, R. Szeliski, A taxonomy and evaluation of dense two-frame stereo, IJCV 47, 2002, 3.2
    (shiftable windows).
    """
    height, width = residual.shape
    rows = np.empty((3, width + 2 * OFFSET), np.float32)
    for y in range(height):
        _pad(residual, y, rows[0])
        for k in range(2):
            _pad(flow[k], y, rows[1])
            _choose(
                rows[0, :width],
                rows[0, 2 * OFFSET :],
                residual[y],
                penalty,
                rows[1, :width],
                rows[1, 2 * OFFSET :],
                flow[k, y],
                scratch[k, y],
            )
        for x in range(width):
            scratch_residual[y, x] = min(min(rows[0, x], rows[0, x + 2 * OFFSET]) * penalty, residual[y, x])
    for y in range(height):
        above, below = max(y - OFFSET, 0), min(y + OFFSET, height - 1)
        for k in range(2):
            _choose(
                scratch_residual[above],
                scratch_residual[below],
                scratch_residual[y],
                penalty,
                scratch[k, above],
                scratch[k, below],
                scratch[k, y],
                flow[k, y],
            )
        for x in range(width):
            residual[y, x] = min(
                min(scratch_residual[above, x], scratch_residual[below, x]) * penalty, scratch_residual[y, x]
            )
