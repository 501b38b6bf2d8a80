"""Signed inverse depth along the epipolar line, with its variance: the maths, without any judgement."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

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


def signed_inverse_depth(
    vectors: Vectors, sigma: Map, K: Matrix, R: Matrix, T: Vector
) -> tuple[Map, Map, Map]:
    """Weighted least squares for the inverse depth of each pixel.

    With p the pixel in the target, h = H [x, 1] and e = K T, the two equations m = rho d have
    m = p h3 - (h1, h2) and d = (e1, e2) - p e3, and an error of p enters m multiplied by h3 + rho e3.
    This is the depth step of Longuet-Higgins and Prazdny (1980) for finite motion.

    Parameters
    ----------
    vectors : (H, W, 2), flow in pixels.
    sigma : (H, W), standard deviation of each of its components, pixels.
    K, R, T : camera matrix in pixels and motion, Z_t b = R Z_r a + T.

    Returns
    -------
    inverse_depth : (H, W), 1/|T|; negative where the point would lie behind the camera.
    variance : (H, W), of `inverse_depth`.
    off_line : (H, W), squared distance to the epipolar line in standard deviations of the flow.
    """
    shape = sigma.shape
    inverse_depth, variance, off_line = (np.empty(shape, np.float32) for _ in range(3))
    _solve(vectors, sigma, *pixel_motion(K, R, T), inverse_depth, variance, off_line)
    return inverse_depth, variance, off_line


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "reassoc", "arcp"})
def _solve(vectors, sigma, H, e, inverse_depth, variance, off_line):
    h11, h12, h13, h21, h22, h23, h31, h32, h33 = H.flat
    e1, e2, e3 = e
    for y in range(sigma.shape[0]):
        fy = np.float32(y)
        r1, r2, r3 = h12 * fy + h13, h22 * fy + h23, h32 * fy + h33
        u, error, rho, var, line = vectors[y], sigma[y], inverse_depth[y], variance[y], off_line[y]
        for x in range(u.shape[0]):
            fx = np.float32(x)
            p1, p2 = fx + u[x, 0], fy + u[x, 1]
            h3 = h31 * fx + r3
            m1, m2 = p1 * h3 - (h11 * fx + r1), p2 * h3 - (h21 * fx + r2)
            d1, d2 = e1 - p1 * e3, e2 - p2 * e3
            per_dd = np.float32(1) / (d1 * d1 + d2 * d2)
            depth = (d1 * m1 + d2 * m2) * per_dd
            across = d1 * m2 - d2 * m1
            deviation = error[x] * (h3 + depth * e3)
            rho[x] = depth
            var[x] = deviation * deviation * per_dd
            line[x] = across * across * per_dd / (deviation * deviation)
