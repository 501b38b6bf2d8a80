"""The homography that most of the picture obeys: a background far away, planar, or seen by turning only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streamflow.kernels.jit import kernel
from streamflow.kernels.least_squares import products, solve
from streamflow.values import Map, Matrix

SCALES = 8.0 * 0.6 ** np.arange(12)  # standard deviations: wide first, so that the majority decides
GATE = 3.0  # standard deviations at which Geman and McClure's weight has fallen to a quarter


def fit_dominant_plane(
    positions: NDArray[np.floating], vectors: NDArray[np.floating], variance: Map, weight: Map
) -> Matrix:
    """Fit a homography to flow by iteratively reweighted least squares, the scale annealed to narrow.

    Parameters
    ----------
    positions, vectors : (N, 2) pixels
    variance : (N,) of each component of the vectors, pixels^2
    weight : (N,) how far each belongs to the background before anything is fitted, 0 .. 1

    Returns
    -------
    (3, 3) from positions to positions + vectors, pixels.
    """
    centre = positions.mean(axis=0).astype(float)
    reach = float(np.abs(positions - centre).max()) or 1.0
    a, b = (positions - centre) / reach, (positions + vectors - centre) / reach
    rows = np.empty((9, 2 * len(a)))
    h = np.array([1.0, 0, 0, 0, 1, 0, 0, 0])
    sigma = np.sqrt(variance.astype(float)) / reach
    for scale in np.maximum(SCALES, 1.0):
        _fit(a, b, sigma, weight.astype(float), GATE * scale, rows, h)
    normalise = np.array([[1 / reach, 0, -centre[0] / reach], [0, 1 / reach, -centre[1] / reach], [0, 0, 1]])
    H = np.linalg.inv(normalise) @ np.append(h, 1.0).reshape(3, 3) @ normalise
    return np.asarray(H / H[2, 2])


@kernel()
def _fit(a, b, sigma, weight, gate, rows, h):
    """One step of the reweighted fit; `h`, the first eight entries of the homography, is replaced."""
    n, A = len(a), np.zeros((9, 9))
    for i in range(n):
        x, y = a[i, 0], a[i, 1]
        third = h[6] * x + h[7] * y + 1
        dx = (h[0] * x + h[1] * y + h[2]) / third - b[i, 0]
        dy = (h[3] * x + h[4] * y + h[5]) / third - b[i, 1]
        far = (dx * dx + dy * dy) / (gate * sigma[i]) ** 2
        w = np.sqrt(weight[i]) / (sigma[i] * (1 + far))
        for j in range(9):
            rows[j, i] = rows[j, n + i] = 0.0
        rows[0, i] = rows[3, n + i] = w * x
        rows[1, i] = rows[4, n + i] = w * y
        rows[2, i] = rows[5, n + i] = w
        rows[6, i], rows[7, i], rows[8, i] = -w * x * b[i, 0], -w * y * b[i, 0], w * b[i, 0]
        rows[6, n + i], rows[7, n + i], rows[8, n + i] = -w * x * b[i, 1], -w * y * b[i, 1], w * b[i, 1]
    products(rows, A)
    solve(A, 8)
    h[:] = A[8, :8]


def plane_flow(H: Matrix, positions: NDArray[np.floating]) -> NDArray[np.floating]:
    """Flow (..., 2) of the plane at positions (..., 2), pixels."""
    H = H.astype(np.float32)
    moved = positions @ H[:, :2].T + H[:, 2]
    return np.asarray(moved[..., :2] / moved[..., 2:] - positions)
