"""Depth of one pair: inverse depth, how far to trust it, and why a pixel has none."""

import numpy as np

from streamflow.depth.occlusion import blank_hidden
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
from streamflow.kernels.jit import inline_kernel, kernel
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
    in_turn = vectors.reshape(len(vectors), -1)
    _judged(in_turn, sigma, H, e, limits, inverse_depth, variance, unknown)
    blank_hidden(in_turn, inverse_depth, variance, unknown, H, e)
    return Depth(inverse_depth, variance, unknown)


NO_EVIDENCE, NEAR_EPIPOLE, MOVING, OUTSIDE = (
    np.uint8(bit) for bit in (Unknown.NO_EVIDENCE, Unknown.NEAR_EPIPOLE, Unknown.MOVING, Unknown.OUTSIDE)
)
KNOWN = np.uint8(0)
NOTHING = np.float32(np.nan)


@inline_kernel(noalias=True, fastmath=FASTMATH)
def _judge(y, vectors, sigma, H, e, limits, right, bottom, inverse_depth, variance, unknown):
    """Do a row, without a branch: so several pixels are computed at once."""
    noise, max_sigma, min_parallax2, gate2, error2 = limits
    for x in range(len(sigma)):
        fx = np.float32(x)
        p1, p2 = fx + vectors[2 * x], y + vectors[2 * x + 1]
        rho, var, off_line = solve_pixel(fx, y, p1, p2, sigma[x] * noise, H, e, error2)
        d1, d2 = e[0] - p1 * e[2], e[1] - p2 * e[2]
        inside = (p1 >= 0) & (p2 >= 0) & (p1 <= right) & (p2 <= bottom)
        moving = (off_line > gate2) | ((rho < 0) & (rho * rho > gate2 * var))
        why = KNOWN if sigma[x] <= max_sigma else NO_EVIDENCE
        why |= KNOWN if d1 * d1 + d2 * d2 >= min_parallax2 else NEAR_EPIPOLE
        why |= KNOWN if inside else OUTSIDE
        why |= MOVING if moving else KNOWN
        unknown[x] = why
        inverse_depth[x] = rho if why == KNOWN else NOTHING
        variance[x] = var if why == KNOWN else NOTHING


@kernel()
def _judged(vectors, sigma, H, e, limits, inverse_depth, variance, unknown):
    """Solve every pixel, find the reasons that it shows by itself, and blank it where there is one.

    Vectors, shape (H, 2 W), have u and v in turn.
    """
    height, width = sigma.shape
    right, bottom = np.float32(width - 1), np.float32(height - 1)
    for y in range(height):
        out = inverse_depth[y], variance[y], unknown[y]
        _judge(np.float32(y), vectors[y], sigma[y], H, e, limits, right, bottom, *out)
