"""Error measures of flow, motion and depth, as the benchmarks define them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streamflow.geometry.rotation import tangent_basis
from streamflow.values import Map, Mask, Matrix, Vectors

AUSR_STEPS = 50
MEDIAN_LENGTH = 1.1774  # of a two-dimensional Gaussian, in standard deviations of a component
INSIDE_TWO_SIGMA = 6.18  # squared: 95.4% of two degrees of freedom


def endpoint_error(vectors: Vectors, truth: Vectors) -> Map:
    """Length of the difference, (H, W) pixels, NaN where the truth is unknown [1]_.

    .. [1] S. Baker et al., "A database and evaluation methodology for optical flow", IJCV 92, 2011.
    """
    difference = vectors - truth
    return np.hypot(difference[..., 0], difference[..., 1])


def angular_error(vectors: Vectors, truth: Vectors) -> Map:
    """Angle between (u, v, 1) and its truth, (H, W) degrees (Baker et al. 2011, section 4.1)."""
    dot = 1 + np.sum(vectors * truth, axis=-1)
    lengths = np.sqrt((1 + np.sum(vectors**2, axis=-1)) * (1 + np.sum(truth**2, axis=-1)))
    return np.asarray(np.degrees(np.arccos(np.clip(dot / lengths, -1, 1))))


def outlier_share(error: Map, truth: Vectors) -> float:
    """Fl, percent: error above 3 px and above 5% of the true length.

    References
    ----------
    M. Menze and A. Geiger, "Object scene flow for autonomous vehicles", CVPR 2015.
    """
    length = np.hypot(truth[..., 0], truth[..., 1])
    known = np.isfinite(error)
    return float(100 * np.mean((error[known] > 3) & (error[known] > 0.05 * length[known])))


def most_confident(error: NDArray[np.float32], uncertainty: NDArray[np.float32], share: float = 0.5) -> float:
    """Mean error of the given share of pixels with the least uncertainty; (N,) arrays."""
    count = max(1, int(share * error.size))
    chosen = np.argpartition(uncertainty, count - 1)[:count]
    return float(error[chosen].mean())


def ausr(error: NDArray[np.float32], uncertainty: NDArray[np.float32]) -> float:
    """Area under the sparsification curve, relative: 0 ranks errors as an oracle would, 1 at random.

    The most uncertain pixels are removed step by step; the mean error of the rest is compared with that of
    removing the worst pixels (oracle) and of removing any (constant) [1]_.

    Parameters
    ----------
    error, uncertainty : ndarray, shape (N,)

    References
    ----------
    .. [1] E. Ilg et al., "Uncertainty estimates and multi-hypotheses networks for optical flow", ECCV 2018.
    """
    ours, oracle = _sparsification(error, uncertainty), _sparsification(error, error)
    return float((ours - oracle).mean() / max((error.mean() - oracle).mean(), 1e-12))


def calibration(error: NDArray[np.float32], sigma: NDArray[np.float32]) -> float:
    """Share of the deciles of sigma whose predicted median error is within a factor two of the actual one.

    Parameters
    ----------
    error, sigma : ndarray, shape (N,)
        Lengths of the errors, and the predicted standard deviation of their components, pixels.
    """
    deciles = np.array_split(np.argsort(sigma), 10)
    predicted = np.array([MEDIAN_LENGTH * np.median(sigma[decile]) for decile in deciles])
    actual = np.array([np.median(error[decile]) for decile in deciles])
    return float(np.mean((actual / 2 < predicted) & (predicted < 2 * actual)))


def _sparsification(error: NDArray[np.float32], order: NDArray[np.float32]) -> NDArray[np.float64]:
    """Mean error of the best n pixels, for n from a fiftieth of them to all."""
    ranked = np.cumsum(error[np.argsort(order)], dtype=np.float64)
    counts = np.linspace(error.size / AUSR_STEPS, error.size, AUSR_STEPS).astype(int)
    counts = np.maximum(counts, 1)
    return np.asarray(ranked[counts - 1] / counts, np.float64)


def angle(first: Matrix, second: Matrix) -> float:
    """Angle between two vectors (3,), degrees; well conditioned for small angles."""
    cross = float(np.linalg.norm(np.cross(first, second)))
    return float(np.degrees(np.arctan2(cross, float(np.dot(first, second)))))


def rotation_angle(first: Matrix, second: Matrix) -> float:
    """Angle of the rotation from one (3, 3) rotation to another, degrees."""
    turn = first.T @ second
    sine = np.linalg.norm([turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1]]) / 2
    return float(np.degrees(np.arctan2(sine, (np.trace(turn) - 1) / 2)))


def depth_errors(inverse: Map, truth: Map, among: Mask) -> tuple[NDArray[np.float32], float]:
    """Relative errors of inverse depth, and the scale that was taken out.

    Parameters
    ----------
    inverse, truth : ndarray, shape (H, W)
        Inverse depth; NaN where unknown.
    among : ndarray of bool, shape (H, W)
        Pixels that count.

    Returns
    -------
    errors : ndarray, shape (N,)
        |inverse / scale - truth| / truth of the pixels known in both.
    scale : float
        Median ratio of the two: the unit of depth is free.
    """
    known = among & np.isfinite(inverse) & np.isfinite(truth) & (truth > 0)
    ratio = inverse[known] / truth[known]
    scale = float(np.median(ratio)) if ratio.size else float("nan")
    return np.asarray(abs(ratio / scale - 1), np.float32), scale


def absolute_relative_error(inverse: Map, truth: Map, among: Mask, scale: float) -> float:
    """AbsRel: mean of |z - z*| / z*, once the `scale` that `depth_errors` found is taken out [1]_.

    No estimate counts as deeper than the deepest true depth, as benchmarks cap depth: a point far away may
    come out at infinity or behind it.

    Parameters
    ----------
    inverse, truth : ndarray, shape (H, W)
        Inverse depth; NaN where unknown. Some pixel must be known in both.
    among : ndarray of bool, shape (H, W)
        Pixels that count.

    References
    ----------
    .. [1] D. Eigen et al., "Depth map prediction from a single image using a multi-scale deep network",
       NeurIPS 2014.
    """
    known = among & np.isfinite(inverse) & np.isfinite(truth) & (truth > 0)
    found = np.maximum(inverse[known] / scale, truth[known].min())
    return float(np.mean(abs(truth[known] / found - 1)))


def direction_surprise(found: Matrix, covariance: Matrix, direction: Matrix, tolerance: float = 0.0) -> float:
    """Squared distance of the true direction from the estimate, in standard deviations (two dimensions).

    Parameters
    ----------
    found : ndarray, shape (3,)
        The estimated unit direction.
    covariance : ndarray, shape (5, 5)
        Of the motion it belongs to, as `motion_covariance` gives it.
    direction : ndarray, shape (3,)
        The true unit direction.
    tolerance : float
        Standard deviation of the truth itself, radians.
    """
    error = tangent_basis(found).T @ direction
    # Beyond a quarter turn the tangent plane would take an opposite direction for a near one.
    if found @ direction <= 0:
        return float("inf")
    spread = covariance[:2, :2] + tolerance**2 * np.eye(2)
    return float(error @ np.linalg.solve(spread, error))
