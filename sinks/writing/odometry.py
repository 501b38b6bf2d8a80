"""The camera's pose with its error, added up over the steps of a trajectory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from streamflow.geometry.focal_error import motion_covariance
from streamflow.geometry.rotation import rotation_log, tangent_basis
from streamflow.values import Matrix, Result


@dataclass(frozen=True, eq=False)
class Odometry:
    """Where the newest camera is and how it moves; covariances of (translation, rotation vector)."""

    pose: Matrix  # (4, 4) camera to world
    covariance: Matrix  # (6, 6) of the position and of the turn about the world's axes, radians
    velocity: Matrix  # (6,) units and radians a second in the camera's axes, NaN without a clock
    velocity_covariance: Matrix  # (6, 6)


class DeadReckoning:
    """Adds up the errors of the steps, which are independent of one another.

    How far a step led is taken as known, but for the error of the metre that all have in common. A step
    whose own error is not known has that of the step before it.
    """

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """At the origin, where a trajectory begins."""
        self._pose, self._covariance, self._step = np.eye(4), np.zeros((6, 6)), np.zeros((6, 6))

    def __call__(self, result: Result) -> Odometry:
        """Take the pair in, whose pose is known."""
        assert result.pose is not None
        R, step = self._pose[:3, :3], np.linalg.inv(self._pose) @ result.pose
        self._step = _error_of_step(result, self._step)
        carried = np.eye(6)
        carried[:3, 3:] = -_cross(R @ step[:3, 3])
        self._covariance = carried @ self._covariance @ carried.T + _turned(self._step, R)
        self._pose = result.pose
        seconds = float(result.pair.interval or np.nan)
        moved = np.concatenate([step[:3, :3].T @ step[:3, 3], rotation_log(step[:3, :3])])
        error = _turned(self._step, step[:3, :3].T)
        return Odometry(result.pose, self._with_metre(result), moved / seconds, error / seconds**2)

    def _with_metre(self, result: Result) -> Matrix:
        sigma = 0.0 if result.depth is None else result.depth.unit_sigma or 0.0
        position = sigma * np.append(self._pose[:3, 3], np.zeros(3))
        return self._covariance + np.outer(position, position)


def _error_of_step(result: Result, default: Matrix) -> Matrix:
    """(6, 6) covariance of the newer camera's position and turn, in the older one's axes.

    The motion's error is that of T + B tau and exp(omega) R, X_target = R X_reference + T.
    """
    motion = result.motion
    covariance = None if motion is None else motion_covariance(motion, result.focal_sigma)
    if motion is None or motion.rotation is None or motion.translation is None or covariance is None:
        return default
    length = 1.0 if result.depth is None else result.depth.step
    T, R = motion.translation.direction, motion.rotation
    B = length * tangent_basis(T)
    if result.pair.forward:  # the older camera is the reference: the step is (R^T, -R^T T)
        jacobian = -np.block([[R.T @ B, length * R.T @ _cross(T)], [np.zeros((3, 2)), R.T]])
    else:
        jacobian = np.block([[B, np.zeros((3, 3))], [np.zeros((3, 2)), np.eye(3)]])
    return np.asarray(jacobian @ covariance @ jacobian.T)


def _turned(covariance: Matrix, R: Matrix) -> Matrix:
    both = np.kron(np.eye(2), R)
    return np.asarray(both @ covariance @ both.T)


def _cross(v: Matrix) -> Matrix:
    """(3, 3) by which a vector is multiplied to get its cross product with `v` from the left."""
    return np.cross(np.eye(3), v)
