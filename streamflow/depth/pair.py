"""Depth of one pair: inverse depth, how far to trust it, and why a pixel has none."""

import numpy as np

from streamflow.compiler import kernel
from streamflow.depth.epipolar import Map, Matrix, Vector, Vectors, epipole_error2, pixel_motion, solve_pixel
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
    astray: float = 0.0,
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
    astray : standard deviation of the direction of T, radians.
    max_sigma : predicted error in pixels above which the flow is no evidence.
    min_parallax : motion in pixels of a point one step away, below which the epipole is too close.
    gate : standard deviations off the epipolar line, or behind the camera, where a point moves by itself.
    """
    H, e = pixel_motion(K, R, T)
    inverse_depth, variance = np.empty(sigma.shape, np.float32), np.empty(sigma.shape, np.float32)
    unknown = np.empty(sigma.shape, np.uint8)
    limits = np.array([noise, max_sigma, min_parallax**2, gate**2, epipole_error2(K, astray)], np.float32)
    _judged(vectors, sigma, H, e, limits, inverse_depth, variance, unknown)
    hidden = np.nonzero(hidden_in_target(vectors, inverse_depth, variance, H, e))
    unknown[hidden] |= np.uint8(Unknown.OCCLUDED)
    inverse_depth[hidden] = variance[hidden] = np.nan
    return Depth(inverse_depth, variance, unknown)


NO_EVIDENCE, NEAR_EPIPOLE, MOVING, OUTSIDE = (
    np.uint8(bit) for bit in (Unknown.NO_EVIDENCE, Unknown.NEAR_EPIPOLE, Unknown.MOVING, Unknown.OUTSIDE)
)
NOTHING = np.float32(np.nan)


@kernel()
def _judged(vectors, sigma, H, e, limits, inverse_depth, variance, unknown):
    """Solve every pixel, find the reasons that it shows by itself, and blank it where there is one."""
    noise, max_sigma, min_parallax2, gate2, error2 = limits
    height, width = sigma.shape
    right, bottom = np.float32(width - 1), np.float32(height - 1)
    for y in range(height):
        for x in range(width):
            fx, fy, u, v = np.float32(x), np.float32(y), vectors[y, x, 0], vectors[y, x, 1]
            error = sigma[y, x]
            rho, var, off_line = solve_pixel(fx, fy, u, v, error * noise, H, e, error2)
            p1, p2 = fx + u, fy + v
            d1, d2 = e[0] - p1 * e[2], e[1] - p2 * e[2]
            why = np.uint8(0)
            if not error <= max_sigma:
                why |= NO_EVIDENCE
            if not d1 * d1 + d2 * d2 >= min_parallax2:
                why |= NEAR_EPIPOLE
            if not (p1 >= 0 and p2 >= 0 and p1 <= right and p2 <= bottom):
                why |= OUTSIDE
            if off_line > gate2 or (rho < 0 and rho * rho > gate2 * var):
                why |= MOVING
            unknown[y, x] = why
            inverse_depth[y, x] = NOTHING if why else rho
            variance[y, x] = NOTHING if why else var
