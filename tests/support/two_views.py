"""Points seen by a camera before and after a known motion, and how far a found motion is off."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from streamflow.motion.sampling import FlowPoints
from streamflow.values import Translation

K = np.array([[150.0, 0, 81.0], [0, 145.0, 52.0], [0, 0, 1]])


SIZE = 167, 101


STEP = 0.05  # of the camera, over the median depth


INSIDE = np.array([0.1, -0.05, 1.0])


OUTSIDE = np.array([0.8, 0.2, 0.5])


SIDEWAYS = np.array([1.0, 0.3, 0.0])


BACKWARD = np.array([0.05, 0.1, -1.0])


TURN = np.deg2rad([0.2, -0.4, 0.3])


@dataclass
class Truth:
    points: FlowPoints
    R: np.ndarray
    T: np.ndarray
    K: np.ndarray

    def epipole(self):
        return self.K @ self.R.T @ self.T


def view(
    heading,
    turn=TURN,
    *,
    n=700,
    noise=0.05,
    outliers=0.0,
    plane=False,
    step=STEP,
    seed=0,
    target_is_newer=False,
):
    """Flow from the newest frame to the previous one, or to a newer one, as the camera goes `heading`."""
    rng = np.random.default_rng(seed)
    positions = rng.uniform((0, 0), np.subtract(SIZE, 1), (n, 2))
    a = np.column_stack([positions, np.ones(n)]) @ np.linalg.inv(K).T
    inverse_depth = a @ (0.5, 0.3, 1.0) if plane else np.exp(rng.uniform(-1, 1, n))
    R = Rotation.from_rotvec(turn).as_matrix()
    heading = np.asarray(heading, float) / max(np.linalg.norm(heading), 1e-9)
    T = R @ heading * (-1 if target_is_newer else 1)
    b = a @ R.T + step * inverse_depth[:, None] * T
    vectors = (b / b[:, 2:] @ K.T)[:, :2] - positions
    vectors += noise * rng.normal(size=vectors.shape)
    bad = rng.random(n) < outliers
    vectors[bad] += rng.uniform(-10, 10, (bad.sum(), 2))
    covariance = np.broadcast_to(noise**2 * np.eye(2), (n, 2, 2))
    return Truth(FlowPoints(positions, vectors, covariance), R, T, K)


def degrees_apart(first, second):
    first, second = first / np.linalg.norm(first), second / np.linalg.norm(second)
    return np.rad2deg(np.arctan2(np.linalg.norm(np.cross(first, second)), first @ second))


def rotation_error(first, second):
    return np.rad2deg(Rotation.from_matrix(first @ second.T).magnitude())


def heading_for(direction):
    """A translation of which only the direction counts."""
    return Translation(np.asarray(direction, float), np.zeros((5, 5)), np.zeros(3))


def parameters_error(motion, truth):
    """(tau, omega) from the estimate to the truth, by which `covariance` is defined."""
    from streamflow.geometry.rotation import tangent_basis

    omega = Rotation.from_matrix(truth.R @ motion.rotation.T).as_rotvec()
    return np.concatenate([tangent_basis(motion.translation.direction).T @ truth.T, omega])
