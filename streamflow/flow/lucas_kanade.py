"""One Lucas-Kanade iteration, row by row."""

import numpy as np

from streamflow.flow.box_sums import RADIUS, new_window_rows, partial_sums, rows_of, sum_windows
from streamflow.flow.gradients import central_differences, interpolate
from streamflow.kernels.jit import inline_kernel, kernel

SCRATCH_ROWS = 4


@inline_kernel(noalias=True)
def _linearised_residual(neighbours, bottom, y, image, ix, iy, u, v, translate_window, inside, out):
    width = len(image)
    right, zero, one = np.float32(width - 1), np.float32(0), np.float32(1)
    for x in range(width):
        moved_x, moved_y = np.float32(np.int32(x)) + u[x], np.float32(y) + v[x]
        place_x, place_y = min(max(moved_x, zero), right), min(max(moved_y, zero), bottom)
        left, upper = np.int32(place_x), np.int32(place_y)
        packed = neighbours[np.uint32(upper * np.int32(width) + left)]
        seen = interpolate(packed, place_x - np.float32(left), place_y - np.float32(upper))
        difference = seen - np.float32(image[x])
        inside[x] = one if (place_x == moved_x) & (place_y == moved_y) else zero
        out[x] = inside[x] * difference - translate_window * (ix[x] * u[x] + iy[x] * v[x])


@inline_kernel()
def linearise(image, neighbours, u, v, y, translate_window, scratch):
    """Return, for row y, Ix, Iy, the residual r = N1(x + u) - N0 - t g.u, and whether x + u lies inside.

    t is `translate_window`. Pixels that leave the image speak for the flow they have: r = -t g.u.
    """
    ix, iy, residual, inside = scratch[0], scratch[1], scratch[2], scratch[3]
    central_differences(image, y, ix, iy)
    bottom = np.float32(len(image) - 1)
    _linearised_residual(neighbours, bottom, y, image[y], ix, iy, u, v, translate_window, inside, residual)
    return ix, iy, residual, inside


@inline_kernel(noalias=True)
def _rhs_terms(ix, iy, residual, inside, outside_ssd, out_x, out_y, ssd):
    for x in range(len(residual)):
        out_x[x] = ix[x] * residual[x]
        out_y[x] = iy[x] * residual[x]
        ssd[x] = residual[x] * residual[x] + outside_ssd * (np.float32(1) - inside[x])


@inline_kernel()
def accumulate_rhs(image, neighbours, flow, y, outside_ssd, translate_window, scratch, rhs):
    """Add row y's terms of sum g r and of sum r^2, `outside_ssd` more for each pixel outside."""
    u, v = flow[0, y], flow[1, y]
    ix, iy, residual, inside = linearise(image, neighbours, u, v, y, translate_window, scratch)
    _rhs_terms(ix, iy, residual, inside, outside_ssd, *rows_of(rhs, y, len(residual)))


@inline_kernel(noalias=True)
def _solve(
    xx, xy, yy, u, v, damping, translate_window, out_u, out_v, out_ssd, partial_x, partial_y, partial_ssd
):
    for x in range(len(u)):
        sum_x = partial_x[x] + partial_x[x + 3] + partial_x[x + 6]
        sum_y = partial_y[x] + partial_y[x + 3] + partial_y[x + 6]
        ssd = partial_ssd[x] + partial_ssd[x + 3] + partial_ssd[x + 6]
        held_u, held_v = translate_window * u[x], translate_window * v[x]
        right_x, right_y = damping * held_u - sum_x, damping * held_v - sum_y
        new_u, new_v = xx[x] * right_x + xy[x] * right_y, xy[x] * right_x + yy[x] * right_y
        ssd += new_u * (sum_x + damping * (held_u - new_u)) + new_v * (sum_y + damping * (held_v - new_v))
        out_u[x], out_v[x] = new_u + (u[x] - held_u), new_v + (v[x] - held_v)
        out_ssd[x] = max(ssd, np.float32(0))


@inline_kernel()
def solve(rhs, inverse, flow, y, damping, translate_window, out_u, out_v, ssd):
    """Write row y of the new flow and of its ssd, once row y + 4 is accumulated."""
    xx, xy, yy = inverse[0, y], inverse[1, y], inverse[2, y]
    u, v = flow[0, y], flow[1, y]
    _solve(xx, xy, yy, u, v, damping, translate_window, out_u, out_v, ssd, *partial_sums(rhs, len(u)))


@kernel(
    "void(uint8[:,::1], float32[:,:,::1], uint32[::1], float32[:,:,::1], float32[:,::1], float32, float32,"
    " float32)",
    fastmath=True,
)
def lucas_kanade_step(image, inverse, neighbours, flow, ssd, outside_ssd, damping, translate_window):
    """Minimise over 9x9 windows sum (N1(x + u0(x)) - N0(x) + g(x).(u - u0(x)))^2 + damping |u - u0|^2.

    With r = N1(x + u0) - N0 - g.u0 the minimum is u = (A + damping I)^-1 (damping u0 - sum g r), and its
    value sum (r + g.u)^2 = sum r^2 + u.sum(g r) + damping u.(u0 - u): A itself is not needed.
    That is for `translate_window` 1: the window takes one vector, which smooths, and flattens a slope. With 0
    the window adds one and the same u - u0 to the flow its pixels have, and slopes stay.

    Parameters
    ----------
    image : ndarray, shape (H, W), uint8
        Reference N0, locally normalised.
    inverse : ndarray, shape (3, H, W)
        Of the reference, see `invert_normal_matrix`.
    neighbours : ndarray, shape (H * W,), uint32
        Target N1, see `pack_neighbours`.
    flow : ndarray, shape (2, H, W)
        u0, replaced by u, pixels.
    ssd : ndarray, shape (H, W)
        Output: the sum of squared differences over the window, squared normalised grey levels.

    References
    ----------
    B. Lucas, T. Kanade, An iterative image registration technique, IJCAI 1981.
    """
    height, width = image.shape
    rhs, scratch = new_window_rows(3, width), np.empty((SCRATCH_ROWS, width), np.float32)
    for newest in range(height + RADIUS):
        if newest < height:
            accumulate_rhs(image, neighbours, flow, newest, outside_ssd, translate_window, scratch, rhs)
        else:
            rhs[newest % 3] = 0
        sum_windows(rhs, newest)
        y = newest - RADIUS
        if y >= 0:
            solve(rhs, inverse, flow, y, damping, translate_window, scratch[0], scratch[1], ssd[y])
            for k in range(2):
                for x in range(width):
                    flow[k, y, x] = scratch[k, x]
