"""How long one pair's step is in the unit of a depth that is already known."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamflow.depth.epipolar import Map, Matrix, Vector, Vectors
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
    grid = np.s_[::SPACING, ::SPACING]
    rho, var = pair.inverse[grid], pair.variance[grid]
    ys, xs = np.nonzero(np.isfinite(rho))
    p = np.stack([xs, ys], axis=1) * SPACING + vectors[grid][ys, xs]
    column, row = np.rint(p).astype(int).T
    rho, before = rho[ys, xs], inverse_depth[row, column]
    k = (R.T @ np.linalg.inv(K))[2] @ np.c_[p, np.ones(len(p))].T
    lengths = rho * k / (before * (1 + rho * (R[:, 2] @ T)))
    return _agreed(lengths, var[ys, xs] / rho**2 + variance[row, column] / before**2)


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
