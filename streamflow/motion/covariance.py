"""How far to trust a motion: covariance of (T, omega), and the epipole's ellipse in the image."""

import numpy as np
import numpy.typing as npt

from streamflow.motion.epipolar import TUNING, linearise
from streamflow.motion.refine import Pose
from streamflow.motion.sphere import tangent_basis
from streamflow.values import Matrix

BLOCKS = 8, 6  # across, down: errors of dense flow are alike within a block, independent between blocks


def covariance(
    rays: Matrix, pose: Pose, gates: tuple[float, float], scale: float, *, turning: bool = True
) -> Matrix:
    """Sandwich covariance (5, 5) of (tau (2), omega (3)), radians, about `pose`.

    H^-1 M H^-1 with M the scatter of the gradient summed over image blocks, so that neither the
    predicted errors nor their independence need be right (Huber 1967; White 1980; blocks as in Liang &
    Zeger 1986). H has the curvature of the robust cost, which is below the weight, and negative for
    outliers: where they happen to lie near their line they say nothing. Without `turning` the rotation
    is known: its block is zero.
    """
    rows = np.empty((11, rays.shape[1]))
    c = TUNING * scale
    linearise(rays, pose.R, pose.T, tangent_basis(pose.T), c, *gates, rows)
    free = 5 if turning else 2
    curvature = 4.0 * np.sqrt(rows[10]) - 3.0  # of Geman-McClure, over its weight
    H = (rows[:free] * curvature) @ rows[:free].T
    inverse = np.linalg.inv(H + 1e-12 * np.abs(H).max() * np.eye(free))
    block = _blocks(rays[:2])
    scatter = np.stack([np.bincount(block, row, BLOCKS[0] * BLOCKS[1]) for row in rows[5 : 5 + free]])
    result = np.zeros((5, 5))
    result[:free, :free] = inverse @ (scatter @ scatter.T) @ inverse
    return result


def _blocks(a: Matrix) -> npt.NDArray[np.int_]:
    low, high = a.min(axis=1, keepdims=True), a.max(axis=1, keepdims=True)
    cell = ((a - low) / (high - low + 1e-12) * np.array(BLOCKS)[:, None]).astype(int)
    column, row = np.minimum(cell, np.array(BLOCKS)[:, None] - 1)
    return np.asarray(column + BLOCKS[0] * row)
