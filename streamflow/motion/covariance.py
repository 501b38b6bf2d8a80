"""How far to trust a motion: the covariance of (T, omega)."""

import numpy as np

from streamflow.geometry.pose import Pose
from streamflow.geometry.rotation import rotation_exp, tangent_basis
from streamflow.kernels.jit import kernel
from streamflow.motion.blocks import blocks_of
from streamflow.motion.epipolar import TUNING, linearise, residuals
from streamflow.values import Matrix

LEAST_BEND = 0.1


def covariance(
    matches: Matrix,
    pose: Pose,
    gates: tuple[float, float],
    scale: float,
    *,
    turning: bool = True,
    planar: bool = False,
) -> Matrix:
    """Sandwich covariance (5, 5) of (tau (2), omega (3)), radians; infinite with too few blocks.

    H^-1 M H^-1 with M the scatter of the gradient summed over image blocks, so that neither the
    predicted errors nor their independence need be right (Huber 1967; White 1980; blocks as in Liang &
    Zeger 1986). H is the observed curvature of the cost over one standard deviation: the J'J of the steps
    takes the noise of a small parallax for parallax, and promises too much. The motions of a plane are held
    by the plane and are no minimum of the cost: for `planar` H is J'J after all, less what the robust cost
    curves below its weight. Without `turning` the rotation is known: its block is zero.
    """
    free = 5 if turning else 2
    B, c = tangent_basis(pose.T), TUNING * scale
    A, result = np.zeros((6, 6)), np.zeros((5, 5))
    linearise(matches, 0, matches.shape[1], *pose, B, c, *gates, A)
    fisher = A[:free, :free] + np.tril(A[:free, :free], -1).T
    if planar:
        root = 1.0 / (1.0 + np.square(residuals(matches, *pose) / c))
        H = fisher * (root**2 @ (4.0 * root - 3.0) / (root @ root))
    else:
        H = _curvature(matches, pose, B, c, gates, 1.0 / np.sqrt(fisher.diagonal() + 1e-30))
    inverse = _inverse(H, fisher)
    result[:free, :free] = inverse @ _scatter(matches, pose, B, c, gates, free) @ inverse
    return result


def _inverse(H: Matrix, fisher: Matrix) -> Matrix:
    """Inverse of a curvature that bends in no direction less than `LEAST_BEND` of J'J: that is its noise."""
    lower = np.linalg.cholesky(fisher + (1e-12 * np.trace(fisher) + 1e-30) * np.eye(len(fisher)))
    whiten = np.linalg.inv(lower)
    bend, directions = np.linalg.eigh(whiten @ H @ whiten.T)
    directions = whiten.T @ directions
    return np.asarray(directions / np.maximum(bend, LEAST_BEND) @ directions.T)


def _curvature(
    matches: Matrix, pose: Pose, B: Matrix, c: float, gates: tuple[float, float], deviations: Matrix
) -> Matrix:
    """Second derivatives (p, p) of the cost: its gradient `deviations` (p,) to either side."""
    there, back = np.empty((6, 6)), np.empty((6, 6))
    H = np.empty((deviations.size, deviations.size))
    for k, step in enumerate(np.diag([*deviations, 0.0, 0.0, 0.0])[: deviations.size]):
        rotation, displacement = rotation_exp(step[2:5]), B @ step[:2]
        linearise(matches, 0, matches.shape[1], rotation @ pose.R, pose.T + displacement, B, c, *gates, there)
        linearise(
            matches, 0, matches.shape[1], rotation.T @ pose.R, pose.T - displacement, B, c, *gates, back
        )
        H[k] = (back - there)[5, : deviations.size] / (2.0 * deviations[k])
    return (H + H.T) / 2.0


def _scatter(
    matches: Matrix, pose: Pose, B: Matrix, c: float, gates: tuple[float, float], free: int
) -> Matrix:
    """Scatter (p, p) of the gradient summed over blocks; infinite with too few of them.

    Enlarged by G / (G - 2 p - 1) for p parameters from G blocks: p sums vanish by the fit, and the inverse of
    what is left is too large on average (Hotelling 1931).
    """
    block = blocks_of(matches[:2])
    ends = np.unique(np.concatenate([[0], np.cumsum(np.bincount(block))]))
    sums = np.empty((ends.size - 1, 5))
    ordered = matches.take(np.argsort(block, kind="stable"), axis=1)
    block_gradients(ordered, ends, *pose, B, c, *gates, np.empty((6, 6)), sums)
    spare = len(sums) - 2 * free - 1
    return np.asarray(sums.T @ sums * (len(sums) / spare if spare > 0 else np.inf))[:free, :free]


@kernel()
def block_gradients(matches, ends, R, T, B, scale, nearest, farthest, A, sums):
    """Gradient (5,) of each block of points, ends[k] <= i < ends[k + 1], written to `sums` (G, 5)."""
    for block in range(sums.shape[0]):
        linearise(matches, ends[block], ends[block + 1], R, T, B, scale, nearest, farthest, A)
        for k in range(5):
            sums[block, k] = A[5, k]
