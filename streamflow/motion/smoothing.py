"""The camera's motion smoothed over time."""

from dataclasses import replace

import numpy as np

from streamflow.geometry.rotation import angle_between, rotation_exp, rotation_log, tangent_basis, unit
from streamflow.values import Matrix, Motion, Translation

# How much the direction of travel and the turn change from one pair to the next: standard deviations,
# radians.
PROCESS_NOISE = np.diag(np.deg2rad([0.5, 0.5, 0.1, 0.1, 0.1]) ** 2)
NIS_GATE = 9.0  # normalised innovation squared from which the prediction is trusted less
FARTHEST = np.deg2rad(30.0)  # beyond, the tangent plane is no map of the sphere: start afresh


class MotionFilter:
    """Error-state Kalman filter on (T, R) with a motion that stays as it is but for a random walk.

    The error is (tau, omega) in the tangent plane of the state: T + B tau, exp(omega) R, the parameters
    the covariance of a `Motion` is given in (Sola 2017, Quaternion kinematics for the error-state Kalman
    filter).
    """

    def __init__(self) -> None:
        self._state: Motion | None = None

    def reset(self) -> None:
        """Forget the past: after a cut or a gap."""
        self._state = None

    def update(self, motion: Motion, camera_matrix: Matrix) -> Motion:
        """`motion` with R, T and epipole smoothed; where they are not known the past is forgotten."""
        if motion.translation is None:
            self._state = None
            return motion
        self._state = motion if self._state is None else _fused(self._state, motion, camera_matrix)
        return self._state


def _fused(state: Motion, motion: Motion, K: Matrix) -> Motion:
    R, predicted, new_R, measured = state.rotation, state.translation, motion.rotation, motion.translation
    assert R is not None and predicted is not None and new_R is not None and measured is not None
    T, P, new_T = predicted.direction, predicted.covariance, measured.direction
    if angle_between(T, new_T) > FARTHEST:
        return motion
    B = tangent_basis(T)
    innovation = np.concatenate([B.T @ new_T, rotation_log(new_R @ R.T)])
    into = np.eye(5)
    into[:2, :2] = B.T @ tangent_basis(new_T)
    noise = into @ measured.covariance @ into.T
    P = P + PROCESS_NOISE
    nis = float(innovation @ np.linalg.solve(P + noise, innovation))
    P = P * max(1.0, nis / NIS_GATE)
    gain = P @ np.linalg.inv(P + noise)
    step = gain @ innovation
    fused_R, fused_T = rotation_exp(step[2:]) @ R, unit(T + B @ step[:2])
    into[:2, :2] = tangent_basis(fused_T).T @ B
    covariance = into @ ((np.eye(5) - gain) @ P) @ into.T
    epipole = K @ fused_R.T @ fused_T * np.sign(measured.epipole @ K @ new_R.T @ new_T)
    return replace(motion, rotation=fused_R, translation=Translation(fused_T, covariance, epipole))
