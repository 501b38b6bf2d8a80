"""Depth of one pair: inverse depth, how far to trust it, and why a pixel has none."""

import numpy as np
from numba import njit

from streamflow.depth.epipolar import Map, Matrix, Vector, Vectors, pixel_motion, signed_inverse_depth
from streamflow.depth.occlusion import hidden_in_target
from streamflow.values import Depth, Unknown


def pair_depth(
    vectors: Vectors,
    sigma: Map,
    K: Matrix,
    R: Matrix,
    T: Vector,
    noise: float = 1.0,
    *,
    max_sigma: float = 1.0,
    min_parallax: float = 8.0,
    gate: float = 3.0,
) -> Depth:
    """Inverse depth with its variance; NaN, with the reason, where the pair cannot tell.

    Parameters
    ----------
    vectors : (H, W, 2), flow in pixels, x_target = x_reference + u.
    sigma : (H, W), predicted error of each of its components, pixels; NaN or inf where unknown.
    K : camera matrix, pixels.
    R, T : the camera's motion, Z_t b = R Z_r a + T with |T| = 1.
    noise : actual over predicted error of the flow.
    max_sigma : predicted error in pixels above which the flow is no evidence.
    min_parallax : motion in pixels of a point one step away, below which the epipole is too close.
    gate : standard deviations off the epipolar line, or behind the camera, where a point moves by itself.
    """
    error = sigma if noise == 1 else sigma * np.float32(noise)
    inverse_depth, variance, off_line = signed_inverse_depth(vectors, error, K, R, T)
    H, e = pixel_motion(K, R, T)
    unknown = np.empty(sigma.shape, np.uint8)
    limits = np.array([max_sigma, min_parallax**2, gate**2], np.float32)
    _judge(vectors, sigma, inverse_depth, variance, off_line, e, limits, unknown)
    hidden = np.nonzero(hidden_in_target(vectors, inverse_depth, variance, H, e))
    unknown[hidden] |= np.uint8(Unknown.OCCLUDED)
    inverse_depth[hidden] = variance[hidden] = np.nan
    return Depth(inverse_depth, variance, unknown)


NO_EVIDENCE, NEAR_EPIPOLE, MOVING, OUTSIDE = (
    np.uint8(bit) for bit in (Unknown.NO_EVIDENCE, Unknown.NEAR_EPIPOLE, Unknown.MOVING, Unknown.OUTSIDE)
)


UNKNOWN = np.float32(np.nan)


@njit(cache=True, nogil=True, error_model="numpy")
def _judge(vectors, sigma, inverse_depth, variance, off_line, e, limits, unknown):
    """Find the reasons that one pixel shows by itself, and blank where there is one."""
    height, width = sigma.shape
    max_sigma, min_parallax2, gate2 = limits
    e1, e2, e3 = e
    for y in range(height):
        u, error, rho, var, line, why = (
            vectors[y], sigma[y], inverse_depth[y], variance[y], off_line[y], unknown[y],
        )  # fmt: skip
        for x in range(width):
            p1, p2 = np.float32(x) + u[x, 0], np.float32(y) + u[x, 1]
            d1, d2 = e1 - p1 * e3, e2 - p2 * e3
            near = not (d1 * d1 + d2 * d2 >= min_parallax2)
            outside = not ((p1 >= 0) & (p2 >= 0) & (p1 <= width - 1) & (p2 <= height - 1))
            why[x] = NEAR_EPIPOLE * near | OUTSIDE * outside
        for x in range(width):
            behind = (rho[x] < 0) & (rho[x] * rho[x] > gate2 * var[x])
            why[x] |= MOVING * behind
        for x in range(width):
            why[x] |= NO_EVIDENCE * (not (error[x] <= max_sigma)) | MOVING * (line[x] > gate2)
        for x in range(width):
            rho[x] = rho[x] if why[x] == 0 else UNKNOWN
            var[x] = var[x] if why[x] == 0 else UNKNOWN
