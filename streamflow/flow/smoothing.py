"""Smoothing the flow: a mean over 9x9 windows weighted by how well each pixel's own window knows its flow."""

import numpy as np

from streamflow.flow.box_sums import AREA, RADIUS, new_window_rows, rows_of, sum_windows, thirds_of
from streamflow.kernels.jit import kernel, part


@part(disjoint=True)
def _weigh(u, v, residual, smallest_eigenvalue, weighted_u, weighted_v, weight):
    per_pixel, noise, floor = np.float32(1 / AREA), np.float32(5), np.float32(300)
    for x in range(len(u)):
        share = (smallest_eigenvalue[x] + floor) / (residual[x] * per_pixel + noise)
        weighted_u[x], weighted_v[x], weight[x] = share * u[x], share * v[x], share


@part()
def weigh(u, v, residual, smallest_eigenvalue, y, weighted):
    """Enter row y, with weights (lambda_min + 300) / (residual / 81 + 5)."""
    _weigh(u, v, residual, smallest_eigenvalue, *rows_of(weighted, y, len(u)))


@part(disjoint=True)
def _mean(out_u, out_v, thirds_u, thirds_v, thirds_weight):
    for x in range(len(out_u)):
        share = np.float32(1) / (thirds_weight[x] + thirds_weight[x + 3] + thirds_weight[x + 6])
        out_u[x] = share * (thirds_u[x] + thirds_u[x + 3] + thirds_u[x + 6])
        out_v[x] = share * (thirds_v[x] + thirds_v[x + 3] + thirds_v[x + 6])


@part()
def take_mean(weighted, flow, y):
    """Write row y of the flow, once row y + 4 is entered and the windows are summed."""
    u, v = flow[0, y], flow[1, y]
    _mean(u, v, *thirds_of(weighted, len(u)))


@kernel("void(float32[:,:,::1], float32[:,::1], float32[:,::1])", fastmath=True)
def confidence_weighted_mean(flow, residual, smallest_eigenvalue):
    """Replace the flow by its mean with weights (lambda_min + 300) / (residual / 81 + 5).

    Parameters
    ----------
    flow : ndarray, shape (2, H, W)
    residual, smallest_eigenvalue : ndarray, shape (H, W)
    """
    height, width = residual.shape
    weighted = new_window_rows(3, width)
    for y in range(height + RADIUS):
        if y < height:
            weigh(flow[0, y], flow[1, y], residual[y], smallest_eigenvalue[y], y, weighted)
        else:
            weighted[y % 3] = 0
        sum_windows(weighted, y)
        if y >= RADIUS:
            take_mean(weighted, flow, y - RADIUS)
