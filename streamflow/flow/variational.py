"""Variational refinement: the flow that keeps the grey values' gradients, and is smooth but for its edges.

It minimises, over the image, weight * psi(gradient constancy) + psi(gradient of the flow), with
psi(s^2) = sqrt(s^2 + epsilon^2), by warping, freezing the weights that psi gives, and relaxing the linear
system of what remains. Gradient constancy does not mind another brightness, and its two equations are
divided by what they multiply the flow with: strong edges do not drown weak texture.

References
----------
T. Brox et al., High accuracy optical flow estimation based on a theory for warping, ECCV 2004,
doi:10.1007/978-3-540-24673-2_3.
H. Zimmer, A. Bruhn, J. Weickert, Optic flow in harmony, IJCV 93, 2011, doi:10.1007/s11263-011-0422-6.
"""

import numpy as np
from numpy.typing import NDArray

from streamflow.flow.gradients import interpolate
from streamflow.flow.pyramid import Level
from streamflow.flow.red_black import DOWN, QUANTITIES, RIGHT, U, V, merge, relax, split_row
from streamflow.kernels.jit import inline_kernel, kernel

_FLOOR2 = 1.0  # squared second derivative, grey levels: an equation of less counts less, for it is noise
_DATA_EPSILON2 = 0.1**2
_SMOOTH_EPSILON2 = 0.02**2
_PAD = 2
_KEPT = 5  # rows: second derivatives reach two rows up and down


@inline_kernel(noalias=True)
def _warp_row(neighbours, width, bottom, y, grey, gain, u, v, inside, mean, difference):
    """Write a row of (gain I0 + I1(x + u)) / 2 and of I1(x + u) - gain I0."""
    right, zero, one, half = np.float32(width - 1), np.float32(0), np.float32(1), np.float32(0.5)
    for x in range(width):
        moved_x, moved_y = np.float32(np.int32(x)) + u[x], np.float32(y) + v[x]
        place_x, place_y = min(max(moved_x, zero), right), min(max(moved_y, zero), bottom)
        left, upper = np.int32(place_x), np.int32(place_y)
        packed = neighbours[np.uint32(upper * np.int32(width) + left)]
        warped = interpolate(packed, place_x - np.float32(left), place_y - np.float32(upper))
        own = gain * np.float32(grey[x])
        inside[x] = one if (place_x == moved_x) & (place_y == moved_y) else zero
        mean[x], difference[x] = half * (own + warped), warped - own


@inline_kernel()
def _repeat_border(row):
    """Fill the margins of a padded row."""
    last = len(row) - 1 - _PAD
    for x in range(_PAD):
        row[x], row[last + 1 + x] = row[_PAD], row[last]


@inline_kernel()
def _warp(neighbours, grey, gain, flow, y, inside, mean, difference):
    """Do `_warp_row` into the rings of rows, with the border pixels repeated outside."""
    height, width = grey.shape
    k, inner = y % _KEPT, slice(_PAD, _PAD + width)
    u, v, bottom = flow[0, y], flow[1, y], np.float32(height - 1)
    _warp_row(
        neighbours, width, bottom, y, grey[y], gain, u, v, inside[k], mean[k, inner], difference[k, inner]
    )  # fmt: skip
    _repeat_border(mean[k])
    _repeat_border(difference[k])


@inline_kernel(noalias=True)
def _data_row(
    weight, inside, above2, above, here, below, below2, z_above, z_here, z_below, xx, xy, yy, xt, yt
):
    """Write the normal equations of gradient constancy, from rows of the mean and of the difference z."""
    quarter, half, one = np.float32(0.25), np.float32(0.5), np.float32(1)
    for x in range(len(xx)):
        gxx = quarter * (here[x + 4] - here[x + 2] - here[x + 2] + here[x])
        gxy = quarter * (below[x + 3] - below[x + 1] - above[x + 3] + above[x + 1])
        gyy = quarter * (below2[x + 2] - here[x + 2] - here[x + 2] + above2[x + 2])
        gxt, gyt = half * (z_here[x + 3] - z_here[x + 1]), half * (z_below[x + 2] - z_above[x + 2])
        norm_x = one / (gxx * gxx + gxy * gxy + np.float32(_FLOOR2))
        norm_y = one / (gxy * gxy + gyy * gyy + np.float32(_FLOOR2))
        error2 = norm_x * gxt * gxt + norm_y * gyt * gyt
        share = weight * inside[x] / np.sqrt(error2 + np.float32(_DATA_EPSILON2))
        norm_x, norm_y = share * norm_x, share * norm_y
        xx[x] = norm_x * gxx * gxx + norm_y * gxy * gxy
        xy[x] = norm_x * gxx * gxy + norm_y * gxy * gyy
        yy[x] = norm_x * gxy * gxy + norm_y * gyy * gyy
        xt[x] = norm_x * gxx * gxt + norm_y * gxy * gyt
        yt[x] = norm_x * gxy * gxt + norm_y * gyy * gyt


@inline_kernel()
def _data_term(weight, y, height, inside, mean, difference, terms):
    """Do `_data_row` for row y, from the rings of rows."""
    above2, above = max(y - 2, 0) % _KEPT, max(y - 1, 0) % _KEPT
    here, below, below2 = y % _KEPT, min(y + 1, height - 1) % _KEPT, min(y + 2, height - 1) % _KEPT
    _data_row(
        weight, inside[here], mean[above2], mean[above], mean[here], mean[below], mean[below2],
        difference[above], difference[here], difference[below],
        terms[0], terms[1], terms[2], terms[3], terms[4],
    )  # fmt: skip


@inline_kernel(noalias=True)
def _smoothness_row(u, v, u_right, v_right, u_below, v_below, right, down):
    """Write the weights of the edges to the right and down: 1 / psi, at the pixel they begin at."""
    for x in range(len(u_right)):
        ux, vx, uy, vy = u_right[x] - u[x], v_right[x] - v[x], u_below[x] - u[x], v_below[x] - v[x]
        slope2 = ux * ux + vx * vx + uy * uy + vy * vy
        right[x] = np.float32(1) / np.sqrt(slope2 + np.float32(_SMOOTH_EPSILON2))
        down[x] = right[x]


@inline_kernel()
def _smoothness(flow, y, right, down):
    """Do `_smoothness_row` for row y; no edge leads outside."""
    height, last = flow.shape[1], flow.shape[2] - 1
    below = min(y + 1, height - 1)
    u, v, u_below, v_below = flow[0, y], flow[1, y], flow[0, below], flow[1, below]
    _smoothness_row(u, v, u[1:], v[1:], u_below, v_below, right, down)
    right[last] = 0
    du, dv = u_below[last] - u[last], v_below[last] - v[last]
    down[last] = np.float32(1) / np.sqrt(du * du + dv * dv + np.float32(_SMOOTH_EPSILON2))
    if y == height - 1:
        down[:] = 0


@inline_kernel(noalias=True)
def _system_row(u, v, xx, xy, yy, xt, yt, left, right, up, down):
    """Turn the data term into the inverse of each pixel's block, and the right-hand side, in place."""
    for x in range(len(u)):
        total = left[x] + right[x] + up[x] + down[x]
        rhs_x, rhs_y = xx[x] * u[x] + xy[x] * v[x] - xt[x], xy[x] * u[x] + yy[x] * v[x] - yt[x]
        a, b, c = xx[x] + total, xy[x], yy[x] + total
        share = np.float32(1) / (a * c - b * b)
        xx[x], xy[x], yy[x], xt[x], yt[x] = c * share, -b * share, a * share, rhs_x, rhs_y


@inline_kernel()
def _write_system(flow, y, terms, edges, downs, system):
    """Write row y of the system, from its data terms, the weights of its edges and of those above."""
    u, v, up, down = flow[0, y], flow[1, y], downs[(y + 1) % 2], downs[y % 2]
    _system_row(u, v, terms[0], terms[1], terms[2], terms[3], terms[4], edges, edges[1:], up, down)
    for k in range(5):
        split_row(terms[k], y, system[k, y + 1])
    split_row(edges[1:], y, system[RIGHT, y + 1])
    split_row(down, y, system[DOWN, y + 1])
    split_row(u, y, system[U, y + 1])
    split_row(v, y, system[V, y + 1])


@kernel(
    "void(uint8[:,::1], uint32[::1], float32, float32[:,:,::1], float32, float32[:,:,:,::1])", fastmath=True
)
def linearise(grey, neighbours, gain, flow, weight, system):
    """Write the linear system about the flow.

    Parameters
    ----------
    grey : ndarray, shape (H, W), uint8
        Reference.
    neighbours : ndarray, shape (H * W,), uint32
        Target, see `pack_neighbours`.
    gain : float
        Contrast of the target over that of the reference.
    flow : ndarray, shape (2, H, W)
    weight : float
        Of gradient constancy beside smoothness.
    system : ndarray, shape (QUANTITIES, H + 2, 2, (W + 1) // 2 + 2)
        Output, see `red_black`.
    """
    height, width = grey.shape
    padded = width + 2 * _PAD
    mean, difference = np.empty((_KEPT, padded), np.float32), np.empty((_KEPT, padded), np.float32)
    inside, terms = np.empty((_KEPT, width), np.float32), np.empty((5, width), np.float32)
    edges, downs = np.zeros(1 + width, np.float32), np.zeros((2, width), np.float32)
    for newest in range(height + 2):
        if newest < height:
            _warp(neighbours, grey, gain, flow, newest, inside, mean, difference)
        y = newest - 2
        if y >= 0:
            _data_term(weight, y, height, inside, mean, difference, terms)
            _smoothness(flow, y, edges[1:], downs[y % 2])
            _write_system(flow, y, terms, edges, downs, system)


class VariationalRefinement:
    """Refinement of flows of one size, with its buffers.

    Parameters
    ----------
    height, width : int
    weight : float
        Of gradient constancy beside smoothness; the more the grey values are compressed, the less is good.
    sweeps : int
        Relaxations of each linear system.
    """

    def __init__(self, height: int, width: int, weight: float, sweeps: int) -> None:
        self._weight, self._sweeps = weight, sweeps
        self._system = np.zeros((QUANTITIES, height + 2, 2, (width + 1) // 2 + 2), np.float32)

    def __call__(self, reference: Level, target: Level, gain: float, flow: NDArray[np.float32]) -> None:
        """Refine a flow (2, H, W), in place: warp once, and relax what is left; `gain`: see `linearise`."""
        neighbours = target.grey_neighbours.reshape(-1)
        linearise(reference.grey, neighbours, gain, flow, self._weight, self._system)
        relax(self._system, self._sweeps)
        merge(self._system, flow)
