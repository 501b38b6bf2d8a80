"""What an uncertain focal length adds to the error of a motion.

A focal length too long by the factor 1 + d makes every angle away from the optical axis too small by it: the
sideways parts of the translation, and pan and tilt. The epipole's pixel and the roll about the axis stay.
"""

import cv2
import numpy as np

from streamflow.geometry.rotation import tangent_basis
from streamflow.values import Matrix, Motion


def motion_covariance(motion: Motion, focal_sigma: float) -> Matrix | None:
    """Covariance (5, 5) of (tau, omega), radians, of a motion whose focal length is uncertain.

    Parameters
    ----------
    motion : Motion
    focal_sigma : relative standard deviation of the focal length
    """
    if motion.translation is None or motion.rotation is None:
        return None
    covariance = motion.translation.covariance
    if not focal_sigma:
        return covariance
    sideways = np.array([1.0, 1.0, 0.0])
    direction = motion.translation.direction
    tau = tangent_basis(direction).T @ (sideways * direction)
    turned = cv2.Rodrigues(motion.rotation)[0].ravel()
    growth = np.concatenate([tau, sideways * turned])  # with a shorter focal length
    return np.asarray(covariance + focal_sigma**2 * np.outer(growth, growth))
