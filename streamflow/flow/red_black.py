"""Successive over-relaxation of a linear system on the image's grid, in red and black order.

Of a checkerboard, all red pixels depend on black ones only: they can be solved at once, by vector
instructions when those of a row lie side by side. Row y has its red pixels in [y + 1, 0, 1:-1] and its black
ones in [y + 1, 1, 1:-1]; around them is a margin of zeros.
"""

import numpy as np

from streamflow.kernels.jit import inline_kernel, kernel

# Of each pixel: inverse of its block, xx, xy, yy; right-hand sides x, y; weights of edges; the solution
QUANTITIES = 9
RIGHT, DOWN, U, V = 5, 6, 7, 8
_OMEGA = 1.6


@inline_kernel(noalias=True)
def _split(row, first, second):
    for j in range(len(row) // 2):
        first[j], second[j] = row[2 * j], row[2 * j + 1]


@inline_kernel()
def split_row(row, y, out):
    """Write the pixels of row y, (W,), to their places in `out`, (2, (W + 1) // 2 + 2)."""
    first, second = out[y % 2, 1:], out[1 - y % 2, 1:]
    _split(row, first, second)
    if len(row) % 2 == 1:
        first[len(row) // 2] = row[len(row) - 1]


@inline_kernel(noalias=True)
def _relax_row(
    xx, xy, yy, rhs_x, rhs_y, right, down, left, up,
    u_left, u_right, u_up, u_down, v_left, v_right, v_up, v_down, u, v,
):  # fmt: skip
    omega = np.float32(_OMEGA)
    for j in range(len(u)):
        x = rhs_x[j] + right[j] * u_right[j] + down[j] * u_down[j] + left[j] * u_left[j] + up[j] * u_up[j]
        y = rhs_y[j] + right[j] * v_right[j] + down[j] * v_down[j] + left[j] * v_left[j] + up[j] * v_up[j]
        u[j] += omega * (xx[j] * x + xy[j] * y - u[j])
        v[j] += omega * (xy[j] * x + yy[j] * y - v[j])


@inline_kernel()
def _relax_colour(system, y, colour):
    """Relax one colour's pixels of row y (from 1)."""
    other = 1 - colour
    n = system.shape[3] - 2
    # The first pixel of an even row is red; its left neighbour is in the margin.
    shift = 0 if (y - 1 + colour) % 2 == 0 else 1
    inner, left, right = slice(1, 1 + n), slice(shift, shift + n), slice(shift + 1, shift + 1 + n)
    u, v = system[U], system[V]
    _relax_row(
        system[0, y, colour, inner], system[1, y, colour, inner], system[2, y, colour, inner],
        system[3, y, colour, inner], system[4, y, colour, inner],
        system[RIGHT, y, colour, inner], system[DOWN, y, colour, inner],
        system[RIGHT, y, other, left], system[DOWN, y - 1, other, inner],
        u[y, other, left], u[y, other, right], u[y - 1, other, inner], u[y + 1, other, inner],
        v[y, other, left], v[y, other, right], v[y - 1, other, inner], v[y + 1, other, inner],
        u[y, colour, inner], v[y, colour, inner],
    )  # fmt: skip


@kernel("void(float32[:,:,:,::1], int64)", fastmath=True)
def relax(system, sweeps):
    """Relax u and v so many times; each half sweep follows the one before a row behind, in the cache."""
    height = system.shape[1] - 2
    for newest in range(height + 2 * sweeps - 1):
        for k in range(2 * sweeps):
            y = newest - k
            if 0 <= y < height:
                _relax_colour(system, y + 1, k % 2)


@inline_kernel(noalias=True)
def _merge(first, second, row):
    for j in range(len(row) // 2):
        row[2 * j], row[2 * j + 1] = first[j], second[j]


@kernel("void(float32[:,:,:,::1], float32[:,:,::1])", fastmath=True)
def merge(system, flow):
    """Write u and v, (2, H, W)."""
    _, height, width = flow.shape
    for y in range(height):
        for k in range(2):
            first, second = system[U + k, y + 1, y % 2, 1:], system[U + k, y + 1, 1 - y % 2, 1:]
            _merge(first, second, flow[k, y])
            if width % 2 == 1:
                flow[k, y, width - 1] = first[width // 2]
