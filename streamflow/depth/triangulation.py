"""Signed inverse depth along the epipolar line, with its variance: the maths, without any judgement."""

import numpy as np
from numpy.typing import NDArray

from streamflow.kernels.jit import inline_kernel

Map = NDArray[np.float32]  # (H, W)
Vectors = NDArray[np.float32]  # (H, W, 2)
Matrix = NDArray[np.float64]  # (3, 3)
Vector = NDArray[np.float64]  # (3,)


def pixel_motion(K: Matrix, R: Matrix, T: Vector) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The motion in pixels: a point x at inverse depth rho is seen in the target at H [x, 1] + rho e.

    Returns
    -------
    H : (3, 3), the homography K R K^-1 of points at infinity.
    e : (3,), K T, the target's epipole, homogeneous.
    """
    return (K @ R @ np.linalg.inv(K)).astype(np.float32), (K @ T).astype(np.float32)


def epipole_error2(K: Matrix, direction_sigma: float) -> np.float32:
    """Variance of each component of e, pixels^2, for a standard deviation of T of so many radians."""
    return np.float32(direction_sigma**2 * np.linalg.det(K[:2, :2]))


FASTMATH = {"contract", "reassoc", "arcp"}  # not what would assume that there are no NaN


@inline_kernel(fastmath=FASTMATH)
def solve_pixel(x, y, p1, p2, sigma, H, e, error2):
    """Inverse depth, variance and squared distance to the epipolar line of x, seen at p.

    With h = H [x, 1] and e = K T, the two equations m = rho d of weighted least squares have
    m = p h3 - (h1, h2) and d = (e1, e2) - p e3. An error of p enters m multiplied by h3 + rho e3, one of e
    by rho. This is the depth step of Longuet-Higgins and Prazdny (1980) for finite motion. The inverse depth
    is negative where the point would lie behind the camera.
    """
    h3 = H[2, 0] * x + (H[2, 1] * y + H[2, 2])
    m1 = p1 * h3 - (H[0, 0] * x + (H[0, 1] * y + H[0, 2]))
    m2 = p2 * h3 - (H[1, 0] * x + (H[1, 1] * y + H[1, 2]))
    d1, d2 = e[0] - p1 * e[2], e[1] - p2 * e[2]
    per_dd = np.float32(1) / (d1 * d1 + d2 * d2)
    rho = (d1 * m1 + d2 * m2) * per_dd
    across = d1 * m2 - d2 * m1
    deviation = sigma * (h3 + rho * e[2])
    spread = deviation * deviation + rho * rho * error2
    return rho, spread * per_dd, across * across * per_dd / spread
