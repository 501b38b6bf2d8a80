"""On which side of the camera points are: the sign of a translation, and whether it has one."""

import numpy as np

from streamflow.geometry.pose import Pose
from streamflow.kernels.robust import median_of
from streamflow.motion.epipolar import inverse_depth
from streamflow.values import Matrix

BEHIND = 3.0  # standard deviations behind the camera: no noise, a point that moves by itself
MIN_AGREEMENT = 0.7  # of the points on which side of the camera they are, for that to be known
MAX_VOTE_RATIO = (
    3.0  # times the typical certainty: a vote does not count more, for a wrong vector is the surest
)


def facing(matches: Matrix, pose: Pose, scale: float) -> Matrix:
    """Inverse depth (N,) in its standard deviations: positive in front of the camera."""
    rho, variance = inverse_depth(matches, pose.R, pose.T)
    return np.asarray(rho / (scale * np.sqrt(variance)))


def agreement(front: Matrix, weights: Matrix) -> float:
    """1 when all points are in front of the camera, -1 when all are behind, about 0 when T means nothing.

    A translation that only fits what is not rigid in the flow (rolling shutter, lens, blur) puts points
    on both sides. A point votes with its certainty: one too far to tell does not, nor does a slow passer-by
    weigh as much as what is near; but none weighs more than `MAX_VOTE_RATIO` typical ones.

    Parameters
    ----------
    front : (N,) from `facing`
    weights : (N,) 0 outlier .. 1 inlier
    """
    certainty = np.abs(front)
    heard = weights * np.minimum(certainty, MAX_VOTE_RATIO * median_of(certainty))
    return float(heard @ np.sign(front) / (heard.sum() + 1e-12))
