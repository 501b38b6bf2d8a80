"""A plane's exact map between two views."""

import numpy as np
from numpy.typing import NDArray

from streamflow.geometry.homography import PlanarMotion

Points = NDArray[np.float64]  # (N, 2)
Matrix = NDArray[np.float64]  # (3, 3)
Vector = NDArray[np.float64]  # (3,)

ROUNDS = 6  # of reweighting
ROBUST = 3.0  # residual in standard deviations at which a point's weight is a quarter


def homography_from_parameters(a: NDArray[np.float64]) -> Matrix:
    """First-order homography of the eight parameters; where `fit_homography` starts."""
    return np.array([[1 + a[1], a[2], a[0]], [a[4], 1 + a[5], a[3]], [-a[6], -a[7], 1]])


def homography_flow(H: Matrix, points: Points, K: Matrix) -> Points:
    """Flow in pixels, (N, 2), of a plane with homography H in calibrated coordinates, at `points`, (N, 2)."""
    mapped = np.c_[points, np.ones(len(points))] @ (K @ H @ np.linalg.inv(K)).T
    return np.asarray(mapped[:, :2] / mapped[:, 2:] - points)


def fit_homography(
    points: Points, vectors: Points, sigma: NDArray[np.float64], K: Matrix, start: Matrix
) -> Matrix:
    """Robust homography in calibrated coordinates: reweighted Gauss-Newton on the transfer error.

    Parameters
    ----------
    points : (N, 2), pixels.
    vectors : (N, 2), their flow, pixels.
    sigma : (N,), error of each of its components, pixels.
    K : camera matrix, pixels.
    start : (3, 3), near the answer, as from `homography_from_parameters`.

    Returns
    -------
    (3, 3), with H33 = 1.
    """
    a = np.c_[points, np.ones(len(points))] @ np.linalg.inv(K).T
    H = start / start[2, 2]
    for _ in range(ROUNDS):
        error = homography_flow(H, points, K) - vectors
        weight = 1 / (1 + np.sum(error**2, axis=1) / (ROBUST * sigma) ** 2) ** 2 / sigma**2
        J = _derivative(H, a, K)
        weighted = (J * weight[:, None, None]).reshape(-1, 8)
        change = np.linalg.solve(weighted.T @ J.reshape(-1, 8), weighted.T @ error.ravel())
        H = H - np.append(change, 0).reshape(3, 3)
    return np.asarray(H, float)


def _derivative(H: Matrix, a: NDArray[np.float64], K: Matrix) -> NDArray[np.float64]:
    """Of the mapped pixel by the first eight entries of H; (N, 2, 8)."""
    q = a @ H.T
    per = a / q[:, 2:]
    zero = np.zeros_like(per)
    b = q[:, :2] / q[:, 2:]
    down = -b[:, :, None] * per[:, None, :2]
    across = np.stack([np.concatenate([per, zero], axis=1), np.concatenate([zero, per], axis=1)], axis=1)
    return np.asarray(K[:2, :2] @ np.concatenate([across, down], axis=2))


def nearest_motion(motions: list[PlanarMotion], heading: Vector) -> PlanarMotion:
    """Of the twins, the one whose camera moves most as expected: heading = R^T T."""
    return max(motions, key=lambda motion: float(motion.T @ motion.R @ heading))
