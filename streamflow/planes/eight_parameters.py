"""Planar motion: the eight parameters of the quadratic flow of a plane, found robustly.

In calibrated coordinates x = (X - cx)/fx, y = (Y - cy)/fy, a plane seen by a moving camera flows by

    u = a1 + a2 x + a3 y + a7 x^2 + a8 x y
    v = a4 + a5 x + a6 y + a7 x y + a8 y^2

per frame: exact for infinitesimal motion (Longuet-Higgins 1984, doi:10.1098/rspb.1984.0086; Waxman and
Ullman 1985, doi:10.1177/027836498500400306). For any motion, `streamflow.planes.homography` is exact.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]  # (N, 2)

HYPOTHESES = 200
SAMPLE = 5  # points of a hypothesis: one more than needed, against noise
MIN_POINTS = 12  # points for an answer
SCORED = 400  # points a hypothesis is tried on
GATE = 3.0  # standard deviations beyond which a point does not obey
ROUNDS = 8  # of reweighting
SCALE_OF_MEDIAN = 0.8493  # sigma of each component / median length of a two-dimensional Gaussian error


@dataclass(frozen=True, eq=False)
class EightParameters:
    """Robust fit of a plane's flow."""

    a: NDArray[np.float64]
    """(8,), a1..a8, 1/frame, in calibrated coordinates."""
    inliers: NDArray[np.bool_]
    """(N,), points that obey."""
    residual: float
    """Root mean square of the inliers' residual, pixels per component."""


def planar_flow(a: NDArray[np.float64], points: Points, K: NDArray[np.float64]) -> Points:
    """Flow in pixels, (N, 2), of the plane `a` at `points`, (N, 2), pixels."""
    return np.asarray(design_matrix(points, K) @ a)


def design_matrix(points: Points, K: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows that a1..a8 multiply to give the flow in pixels; (N, 2, 8)."""
    x, y = (points[:, 0] - K[0, 2]) / K[0, 0], (points[:, 1] - K[1, 2]) / K[1, 1]
    one, zero = np.ones_like(x), np.zeros_like(x)
    u = np.stack([one, x, y, zero, zero, zero, x * x, x * y], axis=1) * K[0, 0]
    v = np.stack([zero, zero, zero, one, x, y, x * y, y * y], axis=1) * K[1, 1]
    return np.stack([u, v], axis=1)


def fit_eight_parameters(
    points: Points,
    vectors: Points,
    sigma: NDArray[np.float64],
    K: NDArray[np.float64],
    rng: np.random.Generator,
) -> EightParameters | None:
    """Find the plane most points obey: five-point hypotheses in one batch, then reweighted least squares.

    Parameters
    ----------
    points : (N, 2), pixels.
    vectors : (N, 2), their flow, pixels.
    sigma : (N,), predicted error of each component of the flow, pixels.
    K : camera matrix, pixels.
    rng : draws the hypotheses.

    Returns
    -------
    EightParameters, or None with fewer than 12 points or none that agree.
    """
    if len(points) < MIN_POINTS:
        return None
    A = design_matrix(points, K)
    a = _best_hypothesis(A, vectors, sigma, rng)
    scale = 1.0
    for _ in range(ROUNDS):
        distance = _distance(A, vectors, a) / sigma
        scale = max(_robust_scale(distance, scale), 1e-3)
        weight = 1 / (1 + (distance / (GATE * scale)) ** 2) ** 2  # Geman-McClure
        a = _weighted_least_squares(A, vectors, weight / sigma**2)
    error = _distance(A, vectors, a)
    inliers = error < GATE * scale * sigma
    if np.count_nonzero(inliers) < MIN_POINTS:
        return None
    return EightParameters(a, inliers, float(np.sqrt(np.mean(error[inliers] ** 2) / 2)))


def _distance(A: NDArray[np.float64], vectors: Points, a: NDArray[np.float64]) -> NDArray[np.float64]:
    residual = (A.reshape(-1, 8) @ a).reshape(-1, 2) - vectors
    return np.hypot(residual[:, 0], residual[:, 1])


def _robust_scale(distance: NDArray[np.float64], previous: float) -> float:
    """Actual over predicted error, from the points that fitted last time."""
    near = distance[distance < 2 * GATE * previous]
    return float(np.median(near if len(near) > SAMPLE else distance)) * SCALE_OF_MEDIAN


def _weighted_least_squares(
    A: NDArray[np.float64], vectors: Points, weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    rows = (A * weight[:, None, None]).reshape(-1, 8)
    return np.asarray(np.linalg.solve(rows.T @ A.reshape(-1, 8), rows.T @ vectors.ravel()), float)


def _best_hypothesis(
    A: NDArray[np.float64], vectors: Points, sigma: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Of the batch, the parameters with the smallest truncated error on a sample of the points."""
    drawn = rng.integers(len(A), size=(HYPOTHESES, SAMPLE))
    rows = A[drawn].reshape(HYPOTHESES, 2 * SAMPLE, 8)
    right = vectors[drawn].reshape(HYPOTHESES, 2 * SAMPLE, 1)
    normal = rows.transpose(0, 2, 1) @ rows
    ridge = 1e-9 * np.trace(normal, axis1=1, axis2=2)[:, None, None] * np.eye(8)
    a = np.asarray(np.linalg.solve(normal + ridge, rows.transpose(0, 2, 1) @ right)[..., 0], float)
    tried = rng.permutation(len(A))[:SCORED]
    residual = (A[tried].reshape(-1, 8) @ a.T).reshape(-1, 2, HYPOTHESES) - vectors[tried, :, None]
    cost = np.minimum(np.sum(residual**2, axis=1) / sigma[tried, None] ** 2, 5.0**2).mean(axis=0)
    best: NDArray[np.float64] = a[np.argmin(cost)]
    return best
