"""One Lucas-Kanade iteration on a whole image."""

import numpy as np

from streamflow.compiler import kernel
from streamflow.flow.box_sums import RADIUS, new_window_rows, window_sum


@kernel(fastmath=True)
def linearised_residual(
    neighbours,
    image,
    across_gradient,
    down_gradient,
    flow,
    y,
    place,
    index,
    packed,
    out,
    misfit,
    outside_misfit,
):
    """Write r = N1(x + u) - N0 - g.u for row y, and r^2.

    Pixels that leave the image vote for the flow they have, r = -g.u; `outside_misfit` is added to their r^2.

    Short loops, each writing one row: only then does the compiler vectorise them. The gather stands alone.
    """
    height, width = image.shape
    right, bottom = np.float32(width - 1), np.float32(height - 1)
    zero, one = np.float32(0), np.float32(1)
    inside = place[2]
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
        moved_x, moved_y = np.float32(x) + flow[0, y, x], np.float32(y) + flow[1, y, x]
        outside = abs(place[0, x] - moved_x) + abs(place[1, x] - moved_y)
        inside[x] = zero if outside > zero else one
    for x in range(width):
        along = across_gradient[x] * flow[0, y, x] + down_gradient[x] * flow[1, y, x]
        out[x] = inside[x] * out[x] - along
    for x in range(width):
        misfit[x] = out[x] * out[x] + outside_misfit * (one - inside[x])


@kernel(fastmath=True)
def _component(row, other_row, u, v, sum_x, sum_y, damping, out):
    """Write one component of (A + damping I)^-1 (damping u0 - sum g r); the inverse's row is given."""
    for x in range(len(out)):
        out[x] = row[x] * (damping * u[x] - sum_x[x]) + other_row[x] * (damping * v[x] - sum_y[x])


@kernel(fastmath=True)
def _half_misfit(sum_component, before, after, damping, out):
    """Add u.(sum g r + damping (u0 - u)) for one component and a row."""
    for x in range(len(out)):
        out[x] += after[x] * (sum_component[x] + damping * (before[x] - after[x]))


@kernel(
    "void(uint8[:,::1], float32[:,:,::1], float32[:,:,::1], uint32[::1], float32[:,:,::1], float32[:,:,::1],"
    " float32[:,::1], float32, float32)",
    fastmath=True,
)
def lucas_kanade_step(image, gradient, inverse, neighbours, flow, out, residual, outside_misfit, damping):
    """Minimise over 9x9 windows sum (N1(x + u0(x)) - N0(x) + g(x).(u - u0(x)))^2 + damping |u - u0|^2.

    With r = N1(x + u0) - N0 - g.u0 the minimum is u = (A + damping I)^-1 (damping u0 - sum g r), and its
    residual sum (r + g.u)^2 = sum r^2 + u.sum(g r) + damping u.(u0 - u): A itself is not needed.

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
    place = np.empty((3, width), np.float32)
    index = np.empty(width, np.int32)
    packed = np.empty(width, np.uint32)
    for newest in range(height + RADIUS):
        slot = newest % 3
        if newest < height:
            linearised_residual(
                neighbours,
                image,
                gradient[0, newest],
                gradient[1, newest],
                flow,
                newest,
                place,
                index,
                packed,
                rest,
                raw[2, slot],
                outside_misfit,
            )
            for x in range(width):
                raw[0, slot, x] = gradient[0, newest, x] * rest[x]
            for x in range(width):
                raw[1, slot, x] = gradient[1, newest, x] * rest[x]
        else:
            raw[:, slot] = 0
        for quantity in range(3):
            window_sum(raw, triple, column, quantity, newest, sums)
        y = newest - RADIUS
        if y < 0:
            continue
        u, v = flow[0, y], flow[1, y]
        _component(inverse[0, y], inverse[1, y], u, v, sums[0], sums[1], damping, out[0, y])
        _component(inverse[1, y], inverse[2, y], u, v, sums[0], sums[1], damping, out[1, y])
        _half_misfit(sums[0], u, out[0, y], damping, sums[2])
        _half_misfit(sums[1], v, out[1, y], damping, sums[2])
        for x in range(width):
            residual[y, x] = max(sums[2, x], np.float32(0))
