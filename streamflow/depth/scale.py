"""How long one pair's step is in the unit of a depth that is already known."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamflow.depth.triangulation import Map, Matrix, Vector, Vectors
from streamflow.kernels.jit import kernel
from streamflow.values import Depth

SPACING = 6  # pixels between the samples
FEWEST = 50  # samples for an answer


def step_length(
    inverse_depth: Map, variance: Map, pair: Depth, vectors: Vectors, K: Matrix, R: Matrix, T: Vector
) -> float | None:
    """Length of the newest step, from the depth known on the previous frame and the pair's on the newest.

    Both depths of a point tell it: s = rho k / (rho_p (1 + rho tau)), k = (R^T b)_3, tau = (R^T T)_3.

    Parameters
    ----------
    inverse_depth, variance : (H, W), on the previous frame.
    pair : depth on the newest frame, in 1/steps.
    vectors, R, T : flow and motion from the newest frame to the previous one.

    Returns
    -------
    float, the step in the unit of `inverse_depth`; None when too few points know both depths.
    """
    shape = pair.inverse[::SPACING, ::SPACING].shape
    lengths, relative_variance = np.full((2, *shape), np.nan)
    before, now = (inverse_depth, variance), (pair.inverse, pair.variance)
    backwards, forward = (R.T @ np.linalg.inv(K))[2], R[:, 2] @ T
    _lengths(*before, *now, vectors, backwards, forward, lengths, relative_variance)
    return _agreed(lengths.ravel(), relative_variance.ravel())


@kernel()
def _lengths(
    inverse_depth, variance, measured, spread, vectors, backwards, forward, lengths, relative_variance
):
    """Write the length that each sample tells and its relative variance; nothing where there is no depth."""
    for i in range(lengths.shape[0]):
        for j in range(lengths.shape[1]):
            y, x = i * SPACING, j * SPACING
            rho = measured[y, x]
            if rho == rho:
                p1, p2 = x + vectors[y, x, 0], y + vectors[y, x, 1]
                row, column = int(np.rint(p2)), int(np.rint(p1))
                before = inverse_depth[row, column]
                k = backwards[0] * p1 + backwards[1] * p2 + backwards[2]
                lengths[i, j] = rho * k / (before * (1 + rho * forward))
                relative_variance[i, j] = spread[y, x] / rho**2 + variance[row, column] / before**2


def unit_length(predicted: Map, spread: Map, pair: Depth) -> float | None:
    """Length of a pair's step, from the depth expected on its reference frame; see `step_length`."""
    grid = np.s_[::SPACING, ::SPACING]
    known, measured = predicted[grid], pair.inverse[grid]
    relative = spread[grid] / known**2 + pair.variance[grid] / measured**2
    return _agreed((measured / known).ravel(), relative.ravel())


def _agreed(lengths: NDArray[np.floating[Any]], relative_variance: NDArray[np.floating[Any]]) -> float | None:
    """Weighted median."""
    usable = np.isfinite(lengths) & (lengths > 0) & np.isfinite(relative_variance)
    if np.count_nonzero(usable) < FEWEST:
        return None
    lengths, weight = lengths[usable], 1 / (relative_variance[usable] + 1e-4)
    order = np.argsort(lengths)
    total = np.cumsum(weight[order])
    return float(lengths[order[np.searchsorted(total, total[-1] / 2)]])
