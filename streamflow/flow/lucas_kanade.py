"""One Lucas-Kanade iteration on a whole image."""

import numpy as np

from streamflow.flow.box_sums import RADIUS, new_window_rows, window_sum
from streamflow.flow.compiler import inlined, kernel
from streamflow.flow.gradients import DAMPING


@inlined
def _linearised_residual(neighbours, image, gradient, flow, y, place, index, packed, out):
    """Write r = N1(x + u) - N0 - g.u for row y; pixels that leave the image vote for the flow they have: r = -g.u.

    Short loops, each writing one row: only then does the compiler vectorise them. The gather stands alone.
    """
    height, width = image.shape
    right, bottom = np.float32(width - 1), np.float32(height - 1)
    zero = np.float32(0)
    for x in range(width):
        place[0, x] = min(max(np.float32(x) + flow[0, y, x], zero), right)
    for x in range(width):
        place[1, x] = min(max(np.float32(y) + flow[1, y, x], zero), bottom)
    for x in range(width):
        index[x] = np.int32(place[1, x]) * np.int32(width) + np.int32(place[0, x])
    for x in range(width):
        packed[x] = neighbours[np.uint32(index[x])]
    for x in range(width):
        across = place[0, x] - np.float32(np.int32(place[0, x]))
        down = place[1, x] - np.float32(np.int32(place[1, x]))
        a = np.float32(np.int32(packed[x] & np.uint32(255)))
        b = np.float32(np.int32(packed[x] >> np.uint32(8) & np.uint32(255)))
        c = np.float32(np.int32(packed[x] >> np.uint32(16) & np.uint32(255)))
        d = np.float32(np.int32(packed[x] >> np.uint32(24)))
        upper, lower = a + across * (b - a), c + across * (d - c)
        out[x] = upper + down * (lower - upper) - np.float32(image[y, x])
    for x in range(width):
        u, v = flow[0, y, x], flow[1, y, x]
        outside = abs(place[0, x] - (np.float32(x) + u)) + abs(place[1, x] - (np.float32(y) + v))
        difference = zero if outside > zero else out[x]
        out[x] = difference - gradient[0, y, x] * u - gradient[1, y, x] * v


@kernel(
    "void(uint8[:,::1], float32[:,:,::1], float32[:,:,::1], uint32[::1], float32[:,:,::1], float32[:,:,::1],"
    " float32[:,::1])"
)
def lucas_kanade_step(image, gradient, inverse, neighbours, flow, out, residual):
    """Minimise over 9x9 windows sum (N1(x + u0(x)) - N0(x) + g(x).(u - u0(x)))^2 + damping |u - u0|^2.

    With r = N1(x + u0) - N0 - g.u0 the minimum is u = (A + damping I)^-1 (damping u0 - sum g r), and its residual
    sum (r + g.u)^2 = sum r^2 + u.sum(g r) + damping u.(u0 - u): A itself is not needed.

    Parameters
    ----------
    image : ndarray, shape (H, W), uint8
        Reference N0, locally normalised.
    gradient : ndarray, shape (2, H, W)
    inverse : ndarray, shape (3, H, W)
        Of the reference, see `invert_normal_matrix`.
    neighbours : ndarray, shape (H * W,), uint32
        Target N1, see `pack_neighbours`.
    flow, out : ndarray, shape (2, H, W)
        u0 and u, pixels; different arrays.
    residual : ndarray, shape (H, W)
        Output: sum over the window, squared normalised grey levels.

    References
    ----------
    B. Lucas, T. Kanade, An iterative image registration technique, IJCAI 1981.
    """
    height, width = image.shape
    raw, triple, column = new_window_rows(3, width)
    sums = np.empty((3, width), np.float32)
    rest = np.empty(width, np.float32)
    place = np.empty((2, width), np.float32)
    index = np.empty(width, np.int32)
    packed = np.empty(width, np.uint32)
    damping = np.float32(DAMPING)
    for newest in range(height + RADIUS):
        slot = newest % 3
        if newest < height:
            _linearised_residual(neighbours, image, gradient, flow, newest, place, index, packed, rest)
            for x in range(width):
                raw[0, slot, x] = gradient[0, newest, x] * rest[x]
            for x in range(width):
                raw[1, slot, x] = gradient[1, newest, x] * rest[x]
            for x in range(width):
                raw[2, slot, x] = rest[x] * rest[x]
        else:
            raw[:, slot] = 0
        for quantity in range(3):
            window_sum(raw, triple, column, quantity, newest, sums)
        y = newest - RADIUS
        if y < 0:
            continue
        for x in range(width):
            out[0, y, x] = inverse[0, y, x] * (damping * flow[0, y, x] - sums[0, x]) + inverse[1, y, x] * (
                damping * flow[1, y, x] - sums[1, x]
            )
        for x in range(width):
            out[1, y, x] = inverse[1, y, x] * (damping * flow[0, y, x] - sums[0, x]) + inverse[2, y, x] * (
                damping * flow[1, y, x] - sums[1, x]
            )
        for x in range(width):
            u, v = out[0, y, x], out[1, y, x]
            along = u * (sums[0, x] + damping * (flow[0, y, x] - u)) + v * (
                sums[1, x] + damping * (flow[1, y, x] - v)
            )
            residual[y, x] = max(sums[2, x] + along, np.float32(0))
