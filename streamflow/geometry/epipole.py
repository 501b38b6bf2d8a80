"""The epipole in the image: pixels where it has any, else a direction."""

from typing import NamedTuple

import numpy as np

from streamflow.geometry.rotation import tangent_basis
from streamflow.values import Matrix, Motion

FARTHEST = (
    10.0  # focal lengths from the principal point (84 degrees off axis): beyond, the epipole is at infinity
)


class Ellipse(NamedTuple):
    """One standard deviation about the epipole."""

    major: float  # semi-axis, pixels
    minor: float
    angle: float  # of the major axis, radians from x towards y


def homogeneous(R: Matrix, T: Matrix, K: Matrix, *, forward_in_time: bool) -> Matrix:
    """Epipole (3,) in reference pixels; [2] > 0 when the camera moves towards it as time goes by.

    R'T points from the target's camera to the reference's: along the motion when the target is the
    earlier frame.
    """
    return np.asarray(K @ R.T @ T * (-1.0 if forward_in_time else 1.0))


def pixel(epipole: Matrix, K: Matrix) -> Matrix | None:
    """Position (2,) in the reference image; None at infinity, where only `bearing` is known."""
    x, y, z = np.linalg.solve(K, epipole)
    return epipole[:2] / epipole[2] if abs(z) * FARTHEST > np.hypot(x, y) else None


def bearing(epipole: Matrix, K: Matrix) -> float:
    """Direction of the camera's motion within the image: radians from x (right) towards y (down)."""
    x, y, _ = np.linalg.solve(K, epipole)
    return float(np.arctan2(y, x))


def off_axis(epipole: Matrix, K: Matrix) -> float:
    """Angle in radians between the camera's motion and the optical axis: 0 forward, pi backward."""
    x, y, z = np.linalg.solve(K, epipole)
    return float(np.arctan2(np.hypot(x, y), z))


def ellipse(motion: Motion, K: Matrix) -> Ellipse | None:
    """The epipole's standard deviation in the image; None when it has no position there."""
    covariance = pixel_covariance(motion, K)
    if covariance is None:
        return None
    (minor, major), axes = np.linalg.eigh(covariance)
    return Ellipse(
        float(np.sqrt(major)), float(np.sqrt(max(minor, 0.0))), float(np.arctan2(axes[1, 1], axes[0, 1]))
    )


def pixel_covariance(motion: Motion, K: Matrix) -> Matrix | None:
    """Covariance (2, 2) in pixels^2 of the epipole's position, to first order; None at infinity.

    Under T + B tau and exp(omega) R the epipole K R'T moves by K R'(B tau + T x omega).
    """
    R, translation = motion.rotation, motion.translation
    if R is None or translation is None or pixel(translation.epipole, K) is None:
        return None
    T = translation.direction
    moved = K @ R.T @ np.column_stack([tangent_basis(T), np.cross(T, np.eye(3)).T])
    unsigned = K @ R.T @ T
    projected = (moved[:2] - np.outer(unsigned[:2] / unsigned[2], moved[2])) / unsigned[2]
    return np.asarray(projected @ translation.covariance @ projected.T)
