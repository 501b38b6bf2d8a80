"""The predicted error of the flow, in pixels."""

import numpy as np

from streamflow.flow.box_sums import AREA, RADIUS, new_window_rows, window_sum
from streamflow.flow.compiler import kernel


@kernel("void(float32[:,:,::1], float32[:,::1], float32[:,::1], float32[:,::1])")
def predict_error(flow, residual, smallest_eigenvalue, sigma):
    """Write 2.5 s^1.5, s^4 = var(u) r^1.5 / (lambda_min + 20): large where the flow varies, fits badly and has little texture.

    Parameters
    ----------
    flow : ndarray, shape (2, H, W)
    residual, smallest_eigenvalue : ndarray, shape (H, W)
    sigma : ndarray, shape (H, W)
        Output, pixels.
    """
    height, width = residual.shape
    raw, triple, column = new_window_rows(4, width)
    sums = np.empty((4, width), np.float32)
    one = np.float32(1)
    for newest in range(height + RADIUS):
        slot = newest % 3
        if newest < height:
            for x in range(width):
                raw[0, slot, x] = flow[0, newest, x]
            for x in range(width):
                raw[1, slot, x] = flow[1, newest, x]
            for x in range(width):
                raw[2, slot, x] = raw[0, slot, x] * raw[0, slot, x] + raw[1, slot, x] * raw[1, slot, x]
            raw[3, slot] = 1
        else:
            raw[:, slot] = 0
        for quantity in range(4):
            window_sum(raw, triple, column, quantity, newest, sums)
        y = newest - RADIUS
        if y < 0:
            continue
        for x in range(width):
            share = one / sums[3, x]
            u, v = sums[0, x] * share, sums[1, x] * share
            variance = max(sums[2, x] * share - u * u - v * v, np.float32(0)) + np.float32(1e-4)
            misfit = residual[y, x] * np.float32(1 / AREA) + one
            quartic = variance * misfit * np.sqrt(misfit) / (smallest_eigenvalue[y, x] + np.float32(20))
            root = np.sqrt(quartic)
            sigma[y, x] = np.float32(2.5) * np.sqrt(root) * np.sqrt(np.sqrt(root))
