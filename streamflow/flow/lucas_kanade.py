"""One Lucas-Kanade iteration, row by row."""

import numpy as np

from streamflow.flow.box_sums import RADIUS, new_window_rows, rows_of, sum_windows, thirds_of
from streamflow.flow.gradients import central_differences, interpolate
from streamflow.kernels.jit import kernel, part

SCRATCH_ROWS = 4


@part(disjoint=True)
def _linearised_residual(neighbours, bottom, y, image, across, down, u, v, pooled, inside, out):
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
        out[x] = inside[x] * difference - pooled * (across[x] * u[x] + down[x] * v[x])


@part()
def linearise(image, neighbours, u, v, y, pooled, scratch):
    """Return, for row y, g across and down, r = N1(x + u) - N0 - pooled g.u, and whether x + u lies inside.

    Pixels that leave the image vote for the flow they have: r = -pooled g.u.
    """
    across, down, rest, inside = scratch[0], scratch[1], scratch[2], scratch[3]
    central_differences(image, y, across, down)
    bottom = np.float32(len(image) - 1)
    _linearised_residual(neighbours, bottom, y, image[y], across, down, u, v, pooled, inside, rest)
    return across, down, rest, inside


@part(disjoint=True)
def _votes(across, down, rest, inside, outside_misfit, out_x, out_y, misfit):
    for x in range(len(rest)):
        out_x[x] = across[x] * rest[x]
        out_y[x] = down[x] * rest[x]
        misfit[x] = rest[x] * rest[x] + outside_misfit * (np.float32(1) - inside[x])


@part()
def vote(image, neighbours, flow, y, outside_misfit, pooled, scratch, votes):
    """Enter row y's part of sum g r and of sum r^2, `outside_misfit` more for each pixel outside."""
    across, down, rest, inside = linearise(image, neighbours, flow[0, y], flow[1, y], y, pooled, scratch)
    _votes(across, down, rest, inside, outside_misfit, *rows_of(votes, y, len(rest)))


@part(disjoint=True)
def _solve(xx, xy, yy, u, v, damping, pooled, out_u, out_v, residual, thirds_x, thirds_y, thirds_misfit):
    for x in range(len(u)):
        sum_x = thirds_x[x] + thirds_x[x + 3] + thirds_x[x + 6]
        sum_y = thirds_y[x] + thirds_y[x + 3] + thirds_y[x + 6]
        misfit = thirds_misfit[x] + thirds_misfit[x + 3] + thirds_misfit[x + 6]
        held_u, held_v = pooled * u[x], pooled * v[x]
        right_x, right_y = damping * held_u - sum_x, damping * held_v - sum_y
        new_u, new_v = xx[x] * right_x + xy[x] * right_y, xy[x] * right_x + yy[x] * right_y
        misfit += new_u * (sum_x + damping * (held_u - new_u)) + new_v * (sum_y + damping * (held_v - new_v))
        out_u[x], out_v[x] = new_u + (u[x] - held_u), new_v + (v[x] - held_v)
        residual[x] = max(misfit, np.float32(0))


@part()
def solve(votes, inverse, flow, y, damping, pooled, out_u, out_v, residual):
    """Write row y of the new flow and of its residual, once row y + 4 has voted."""
    xx, xy, yy = inverse[0, y], inverse[1, y], inverse[2, y]
    u, v = flow[0, y], flow[1, y]
    _solve(xx, xy, yy, u, v, damping, pooled, out_u, out_v, residual, *thirds_of(votes, len(u)))


@kernel(
    "void(uint8[:,::1], float32[:,:,::1], uint32[::1], float32[:,:,::1], float32[:,::1], float32, float32,"
    " float32)",
    fastmath=True,
)
def lucas_kanade_step(image, inverse, neighbours, flow, residual, outside_misfit, damping, pooled):
    """Minimise over 9x9 windows sum (N1(x + u0(x)) - N0(x) + g(x).(u - u0(x)))^2 + damping |u - u0|^2.

    With r = N1(x + u0) - N0 - g.u0 the minimum is u = (A + damping I)^-1 (damping u0 - sum g r), and its
    residual sum (r + g.u)^2 = sum r^2 + u.sum(g r) + damping u.(u0 - u): A itself is not needed.
    That is for `pooled` 1: a window moves as one, which smooths, and flattens a slope. With `pooled` 0 the
    window adds one and the same u - u0 to the flow its pixels have, and slopes stay.

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
    residual : ndarray, shape (H, W)
        Output: sum over the window, squared normalised grey levels.

    References
    ----------
    B. Lucas, T. Kanade, An iterative image registration technique, IJCAI 1981.
    """
    height, width = image.shape
    votes, scratch = new_window_rows(3, width), np.empty((SCRATCH_ROWS, width), np.float32)
    for newest in range(height + RADIUS):
        if newest < height:
            vote(image, neighbours, flow, newest, outside_misfit, pooled, scratch, votes)
        else:
            votes[newest % 3] = 0
        sum_windows(votes, newest)
        y = newest - RADIUS
        if y >= 0:
            solve(votes, inverse, flow, y, damping, pooled, scratch[0], scratch[1], residual[y])
            for k in range(2):
                for x in range(width):
                    flow[k, y, x] = scratch[k, x]
