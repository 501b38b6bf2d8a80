"""Smoothing the flow: a mean over 9x9 windows weighted by how well each pixel's own window knows its flow."""

import numpy as np

from streamflow.compiler import kernel
from streamflow.flow.box_sums import AREA, RADIUS, new_window_rows, window_sum


@kernel("void(float32[:,:,::1], float32[:,::1], float32[:,::1], float32[:,:,::1])", fastmath=True)
def confidence_weighted_mean(flow, residual, smallest_eigenvalue, out):
    """Write the mean of the flow with weights (lambda_min + 300) / (residual / 81 + 5).

    Parameters
    ----------
    flow, out : ndarray, shape (2, H, W)
        Different arrays.
    residual, smallest_eigenvalue : ndarray, shape (H, W)
    """
    height, width = residual.shape
    raw, triple, column = new_window_rows(3, width)
    sums = np.empty((3, width), np.float32)
    per_pixel, noise, floor = np.float32(1 / AREA), np.float32(5), np.float32(300)
    for newest in range(height + RADIUS):
        slot = newest % 3
        if newest < height:
            for x in range(width):
                raw[2, slot, x] = (smallest_eigenvalue[newest, x] + floor) / (
                    residual[newest, x] * per_pixel + noise
                )
            for x in range(width):
                raw[0, slot, x] = flow[0, newest, x] * raw[2, slot, x]
            for x in range(width):
                raw[1, slot, x] = flow[1, newest, x] * raw[2, slot, x]
        else:
            raw[:, slot] = 0
        for quantity in range(3):
            window_sum(raw, triple, column, quantity, newest, sums)
        y = newest - RADIUS
        if y < 0:
            continue
        for x in range(width):
            out[0, y, x] = sums[0, x] / sums[2, x]
        for x in range(width):
            out[1, y, x] = sums[1, x] / sums[2, x]
