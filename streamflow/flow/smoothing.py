"""Smoothing the flow: a mean over 9x9 windows weighted by how well each pixel's own window knows its flow."""

import numpy as np

from streamflow.flow.box_sums import AREA, RADIUS, new_window_rows, partial_sums, rows_of, sum_windows
from streamflow.kernels.jit import inline_kernel, kernel


@inline_kernel(noalias=True)
def _weigh(u, v, ssd, smallest_eigenvalue, weighted_u, weighted_v, weight):
    per_pixel, noise, floor = np.float32(1 / AREA), np.float32(5), np.float32(300)
    for x in range(len(u)):
        share = (smallest_eigenvalue[x] + floor) / (ssd[x] * per_pixel + noise)
        weighted_u[x], weighted_v[x], weight[x] = share * u[x], share * v[x], share


@inline_kernel()
def weigh(u, v, ssd, smallest_eigenvalue, y, weighted):
    """Enter row y, with weights (lambda_min + 300) / (ssd / 81 + 5)."""
    _weigh(u, v, ssd, smallest_eigenvalue, *rows_of(weighted, y, len(u)))


@inline_kernel(noalias=True)
def _mean(out_u, out_v, partial_u, partial_v, partial_weight):
    for x in range(len(out_u)):
        share = np.float32(1) / (partial_weight[x] + partial_weight[x + 3] + partial_weight[x + 6])
        out_u[x] = share * (partial_u[x] + partial_u[x + 3] + partial_u[x + 6])
        out_v[x] = share * (partial_v[x] + partial_v[x + 3] + partial_v[x + 6])


@inline_kernel()
def take_mean(weighted, flow, y):
    """Write row y of the flow, once row y + 4 is entered and the windows are summed."""
    u, v = flow[0, y], flow[1, y]
    _mean(u, v, *partial_sums(weighted, len(u)))


@kernel("void(float32[:,:,::1], float32[:,::1], float32[:,::1])", fastmath=True)
def confidence_weighted_mean(flow, ssd, smallest_eigenvalue):
    """Replace the flow by its mean with weights (lambda_min + 300) / (ssd / 81 + 5).

    Parameters
    ----------
    flow : ndarray, shape (2, H, W)
    ssd, smallest_eigenvalue : ndarray, shape (H, W)
    """
    height, width = ssd.shape
    weighted = new_window_rows(3, width)
    for y in range(height + RADIUS):
        if y < height:
            weigh(flow[0, y], flow[1, y], ssd[y], smallest_eigenvalue[y], y, weighted)
        else:
            weighted[y % 3] = 0
        sum_windows(weighted, y)
        if y >= RADIUS:
            take_mean(weighted, flow, y - RADIUS)
