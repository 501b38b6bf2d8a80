"""The motion of a plane in the picture: the eight numbers of a homography, their flow, equations for them."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streamflow.kernels.jit import kernel

_NEAREST = 0.1  # of 1 + h6 x + h7 y: smaller is before the camera no more


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
    share = 1 / max(1 + along, _NEAREST)
    u = (h[0] * x + h[1] * y + h[2] - x * along) * share
    v = (h[3] * x + h[4] * y + h[5] - y * along) * share
    return u, v, share


@kernel(fastmath=True)
def enter(rows, i, x, y, u, v, across, down, right):
    """Write column i of `rows` (9, N): `across` and `down` times the change of a vector are `right`.

    The first eight numbers are what h is multiplied by; the vector is (u, v), at (x, y), and `across` and
    `down` have the share in them.
    """
    forward = -(across * (x + u) + down * (y + v))
    rows[0, i], rows[1, i], rows[2, i] = across * x, across * y, across
    rows[3, i], rows[4, i], rows[5, i] = down * x, down * y, down
    rows[6, i], rows[7, i], rows[8, i] = forward * x, forward * y, right


@kernel("void(float64[::1], float32[:,:,::1])", fastmath=True)
def planar_flow(h, out):
    """Write a plane's flow, (2, H, W), pixels."""
    _, height, width = out.shape
    scale = 0.5 * max(height, width)
    for y in range(height):
        down = (y - 0.5 * height) / scale
        for x in range(width):
            u, v, _ = predict(h, (x - 0.5 * width) / scale, down)
            out[0, y, x], out[1, y, x] = np.float32(u * scale), np.float32(v * scale)
