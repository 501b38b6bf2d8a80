"""The motion of a plane in the picture: the eight numbers of a homography, their flow, equations for them."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streamflow.kernels.jit import kernel

_MIN_DENOMINATOR = 0.1  # of 1 + h6 x + h7 y: what is nearer to the camera is behind it, or as good as


class Plane(NamedTuple):
    """A plane found in a flow."""

    homography: NDArray[np.float64]
    """(8,), h of H = I + [[h0, h1, h2], [h3, h4, h5], [h6, h7, 0]], which takes reference to target: zeros
    stand still, exactly. Coordinates from the middle of the image, in units of half its longer side."""
    support: float
    """Share of the vectors that obey it, each counted by its precision and how closely."""


@kernel(fastmath=True)
def predict(h, x, y):
    """Return the vector (u, v) at (x, y), and the share 1 / (1 + h6 x + h7 y)."""
    along = h[6] * x + h[7] * y
    share = 1 / max(1 + along, _MIN_DENOMINATOR)
    u = (h[0] * x + h[1] * y + h[2] - x * along) * share
    v = (h[3] * x + h[4] * y + h[5] - y * along) * share
    return u, v, share


@kernel(fastmath=True)
def add_constraint(rows, i, x, y, u, v, ix, iy, right):
    """Write column i of `rows` (9, N): (ix, iy) times the change of a vector is `right`.

    The first eight numbers are what h is multiplied by; the vector is (u, v), at (x, y), and (ix, iy) has the
    share in it.
    """
    forward = -(ix * (x + u) + iy * (y + v))
    rows[0, i], rows[1, i], rows[2, i] = ix * x, ix * y, ix
    rows[3, i], rows[4, i], rows[5, i] = iy * x, iy * y, iy
    rows[6, i], rows[7, i], rows[8, i] = forward * x, forward * y, right


@kernel("void(float64[::1], float32[:,:,::1])", fastmath=True)
def planar_flow(h, out):
    """Write a plane's flow, (2, H, W), pixels."""
    _, height, width = out.shape
    scale = 0.5 * max(height, width)
    for y in range(height):
        plane_y = (y - 0.5 * height) / scale
        for x in range(width):
            u, v, _ = predict(h, (x - 0.5 * width) / scale, plane_y)
            out[0, y, x], out[1, y, x] = np.float32(u * scale), np.float32(v * scale)
