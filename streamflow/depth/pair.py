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

MAX_SIGMA = np.float32(1.0)  # pixels: predicted error above which the flow is no evidence
MIN_PARALLAX2 = np.float32(8.0**2)  # pixels^2: parallax of a point one step away
GATE2 = np.float32(3.0**2)  # squared standard deviations off the line, or behind the camera: moves by itself


def pair_depth(
    vectors: Vectors,
    sigma: Map,
    K: Matrix,
    R: Matrix,
    T: Vector,
    *,
    direction_sigma: float = 0.0,
) -> Depth:
    """Inverse depth with its variance; NaN, with the reason, where the pair cannot tell.

    Parameters
    ----------
    vectors : (H, W, 2), flow in pixels, x_target = x_reference + u.
    sigma : (H, W), predicted error of each of its components, pixels; NaN or inf where unknown.
    K : camera matrix, pixels.
    R, T : the camera's motion, Z_t b = R Z_r a + T with |T| = 1.
    direction_sigma : standard deviation of the direction of T, radians.
    """
    H, e = pixel_motion(K, R, T)
    inverse_depth, variance = np.empty(sigma.shape, np.float32), np.empty(sigma.shape, np.float32)
    unknown = np.empty(sigma.shape, np.uint8)
    error2 = epipole_error2(K, direction_sigma)
    interleaved = vectors.reshape(len(vectors), -1)
    _judged(interleaved, sigma, H, e, error2, inverse_depth, variance, unknown)
    blank_hidden(interleaved, inverse_depth, variance, unknown, H, e)
    return Depth(inverse_depth, variance, unknown)


NO_EVIDENCE, NEAR_EPIPOLE, MOVING, OUTSIDE = (
    np.uint8(bit) for bit in (Unknown.NO_EVIDENCE, Unknown.NEAR_EPIPOLE, Unknown.MOVING, Unknown.OUTSIDE)
)
KNOWN = np.uint8(0)
NOTHING = np.float32(np.nan)


@inline_kernel(noalias=True, fastmath=FASTMATH)
def _judge(y, vectors, sigma, H, e, error2, right, bottom, inverse_depth, variance, unknown):
    """Do a row, without a branch: so several pixels are computed at once."""
    for x in range(len(sigma)):
        fx = np.float32(x)
        p1, p2 = fx + vectors[2 * x], y + vectors[2 * x + 1]
        rho, var, off_line = solve_pixel(fx, y, p1, p2, sigma[x], H, e, error2)
        d1, d2 = e[0] - p1 * e[2], e[1] - p2 * e[2]
        inside = (p1 >= 0) & (p2 >= 0) & (p1 <= right) & (p2 <= bottom)
        moving = (off_line > GATE2) | ((rho < 0) & (rho * rho > GATE2 * var))
        why = KNOWN if sigma[x] <= MAX_SIGMA else NO_EVIDENCE
        why |= KNOWN if d1 * d1 + d2 * d2 >= MIN_PARALLAX2 else NEAR_EPIPOLE
        why |= KNOWN if inside else OUTSIDE
        why |= MOVING if moving else KNOWN
        unknown[x] = why
        inverse_depth[x] = rho if why == KNOWN else NOTHING
        variance[x] = var if why == KNOWN else NOTHING


@kernel()
def _judged(vectors, sigma, H, e, error2, inverse_depth, variance, unknown):
    """Solve every pixel, find the reasons that it shows by itself, and blank it where there is one.

    Vectors, shape (H, 2 W), have u and v in turn.
    """
    height, width = sigma.shape
    right, bottom = np.float32(width - 1), np.float32(height - 1)
    for y in range(height):
        out = inverse_depth[y], variance[y], unknown[y]
        _judge(np.float32(y), vectors[y], sigma[y], H, e, error2, right, bottom, *out)
