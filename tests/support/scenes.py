"""Analytic scenes with exact truth: what a moving camera sees of planes, without any image."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

SHAPE = (101, 167)
K = np.array([[140.0, 0, 80.3], [0, 143.0, 49.1], [0, 0, 1]])
GROUND = np.array([0, 1 / 1.5, 0])  # n . a = 1/z: level, 1.5 below the camera
WALL = np.array([0, 0, 1 / 12])
SIDE = np.array([-1 / 3, 0, 0])


def rays(K: NDArray[np.float64] = K, shape: tuple[int, int] = SHAPE) -> NDArray[np.float64]:
    """K^-1 [x, 1] of every pixel, (H, W, 3)."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    return np.stack([x, y, np.ones_like(x)], axis=-1) @ np.linalg.inv(K).T


def room(K: NDArray[np.float64] = K, shape: tuple[int, int] = SHAPE) -> NDArray[np.float64]:
    """1/z of ground, left wall and back wall; (3, H, W), the largest is what is seen."""
    return np.stack([rays(K, shape) @ n for n in (GROUND, SIDE, WALL)])


def turn(degrees: tuple[float, float, float]) -> NDArray[np.float64]:
    """Rotation by a rotation vector in degrees."""
    return Rotation.from_rotvec(degrees, degrees=True).as_matrix()


def unit(T: tuple[float, float, float]) -> NDArray[np.float64]:
    """The direction of T."""
    return np.array(T) / np.linalg.norm(T)


def flow_of(
    rho: NDArray[np.float64],
    R: NDArray[np.float64],
    T: NDArray[np.float64],
    K: NDArray[np.float64] = K,
) -> NDArray[np.float32]:
    """Flow of points at inverse depth rho: project R X + T, in double precision."""
    a = rays(K, rho.shape)
    b = (a / rho[..., None]) @ R.T + T
    pixel = b @ K.T
    y, x = np.mgrid[: rho.shape[0], : rho.shape[1]]
    return (pixel[..., :2] / pixel[..., 2:] - np.stack([x, y], axis=-1)).astype(np.float32)


def noisy(vectors: NDArray[np.float32], sigma: float, seed: int) -> NDArray[np.float32]:
    """With Gaussian error of each component."""
    rng = np.random.default_rng(seed)
    return (vectors + rng.normal(0, sigma, vectors.shape)).astype(np.float32)
