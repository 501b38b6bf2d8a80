"""Every pixel's inverse depth of a pair, also where it is behind the camera or beyond belief."""

import numpy as np

from streamflow.depth.triangulation import (
    FASTMATH,
    Map,
    Matrix,
    Vector,
    Vectors,
    epipole_error2,
    pixel_motion,
    solve_pixel,
)
from streamflow.kernels.jit import kernel


def signed_inverse_depth(
    vectors: Vectors, sigma: Map, K: Matrix, R: Matrix, T: Vector, direction_sigma: float = 0.0
) -> tuple[Map, Map, Map]:
    """Solve every pixel as `pair_depth` does, and blank none.

    Parameters
    ----------
    vectors : (H, W, 2), flow in pixels.
    sigma : (H, W), standard deviation of each of its components, pixels.
    K, R, T : camera matrix in pixels and motion, Z_t b = R Z_r a + T.
    direction_sigma : standard deviation of the direction of T, radians.

    Returns
    -------
    inverse_depth : (H, W), 1/|T|; negative where the point would lie behind the camera.
    variance : (H, W), of `inverse_depth`.
    off_line : (H, W), squared distance to the epipolar line in standard deviations.
    """
    shape = sigma.shape
    inverse_depth, variance, off_line = (np.empty(shape, np.float32) for _ in range(3))
    error2 = epipole_error2(K, direction_sigma)
    _solve(vectors, sigma, *pixel_motion(K, R, T), error2, inverse_depth, variance, off_line)
    return inverse_depth, variance, off_line


@kernel(fastmath=FASTMATH)
def _solve(vectors, sigma, H, e, error2, inverse_depth, variance, off_line):
    for y in range(sigma.shape[0]):
        fy = np.float32(y)
        for x in range(sigma.shape[1]):
            fx = np.float32(x)
            p1, p2 = fx + vectors[y, x, 0], fy + vectors[y, x, 1]
            solution = solve_pixel(fx, fy, p1, p2, sigma[y, x], H, e, error2)
            inverse_depth[y, x], variance[y, x], off_line[y, x] = solution
