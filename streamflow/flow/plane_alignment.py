"""A plane's motion made exact on the grey values themselves, beyond the vectors it was found in."""

import numpy as np
from numpy.typing import NDArray

from streamflow.flow.gradients import interpolate
from streamflow.flow.plane_homography import Plane, add_constraint, predict
from streamflow.flow.plane_search import INLIER_SIGMAS, MIN_INLIER_LIMIT
from streamflow.flow.pyramid import Level
from streamflow.kernels.jit import kernel
from streamflow.kernels.least_squares import products, solve

_POINTS = 1200
_GREY_SCALE = 15.0  # normalised grey levels: a larger difference belongs to something else
_VECTOR_WEIGHT = 0.005  # weight of the vectors beside the grey values
_CONVERGED = 0.02  # pixels: a step that short is the last
# What is known at each point, in this order: place, flow, 1 / limit^2, grey value, gradient, place in pixels
_QUANTITIES = 10


@kernel("float64[:,::1](uint8[:,::1], float32[:,:,::1], float32[:,::1], int64, int64)", fastmath=True)
def _gather(image, flow, sigma, scale, step):
    """Return what is known at a grid of points, (10, N)."""
    height, width = image.shape
    unit = 0.5 * max(height, width)
    rows, columns = (height - 3) // step + 1, (width - 3) // step + 1
    out = np.empty((_QUANTITIES, rows * columns))
    for i in range(rows * columns):
        y, x = 1 + i // columns * step, 1 + i % columns * step
        out[0, i], out[1, i] = (x - 0.5 * width) / unit, (y - 0.5 * height) / unit
        for k in range(2):
            out[2 + k, i] = flow[k, y * scale, x * scale] / (unit * scale)
        limit = max(MIN_INLIER_LIMIT, INLIER_SIGMAS * sigma[y * scale, x * scale]) / (unit * scale)
        out[4, i] = 1 / (limit * limit)
        out[5, i] = image[y, x]
        out[6, i] = 0.5 * unit / _GREY_SCALE * (np.float64(image[y, x + 1]) - np.float64(image[y, x - 1]))
        out[7, i] = 0.5 * unit / _GREY_SCALE * (np.float64(image[y + 1, x]) - np.float64(image[y - 1, x]))
        out[8, i], out[9, i] = x, y
    return out


@kernel(fastmath=True)
def _sample(neighbours, x, y):
    """Return the image at (x, y), bilinear, and 1 inside, 0 outside."""
    height, width = neighbours.shape
    place_x, place_y = min(max(x, 0.0), width - 1.0), min(max(y, 0.0), height - 1.0)
    left, upper = int(place_x), int(place_y)
    inside = 1.0 if (place_x == x) & (place_y == y) else 0.0
    return interpolate(neighbours[upper, left], place_x - left, place_y - upper), inside


@kernel(fastmath=True)
def _normal_equations_of_vectors(h, known):
    """Return what the vectors that obey the plane say about a change of it."""
    n = known.shape[1]
    rows, A = np.empty((9, 2 * n)), np.empty((9, 9))
    for i in range(n):
        x, y = known[0, i], known[1, i]
        u, v, share = predict(h, x, y)
        du, dv = u - known[2, i], v - known[3, i]
        slope = share * np.sqrt(_VECTOR_WEIGHT * known[4, i]) / (1 + (du * du + dv * dv) * known[4, i])
        add_constraint(rows, 2 * i, x, y, u, v, slope, 0.0, 0.0)
        add_constraint(rows, 2 * i + 1, x, y, u, v, 0.0, slope, 0.0)
    products(rows, A)
    return A


@kernel(fastmath=True)
def _add_grey_constraints(h, known, neighbours, rows):
    """Write, for every point, how a change of the plane makes up for the difference in grey values."""
    unit = 0.5 * max(neighbours.shape)
    for i in range(known.shape[1]):
        x, y = known[0, i], known[1, i]
        u, v, share = predict(h, x, y)
        du, dv = u - known[2, i], v - known[3, i]
        grey, weight = _sample(neighbours, known[8, i] + u * unit, known[9, i] + v * unit)
        residual = (grey - known[5, i]) / _GREY_SCALE
        weight /= (1 + (du * du + dv * dv) * known[4, i]) * (1 + residual * residual)
        slope = weight * share
        add_constraint(rows, i, x, y, u, v, slope * known[6, i], slope * known[7, i], -weight * residual)


@kernel("float64[::1](float64[::1], float64[:,::1], uint32[:,::1], int64)")
def _align(start, known, neighbours, iterations):
    held, h = _normal_equations_of_vectors(start, known), start.copy()
    rows, A = np.empty((9, known.shape[1])), np.empty((9, 9))
    for _ in range(iterations):
        _add_grey_constraints(h, known, neighbours, rows)
        products(rows, A)
        for j in range(8):
            for k in range(8):
                A[8, j] -= held[max(j, k), min(j, k)] * (h[k] - start[k])
            for k in range(j + 1):
                A[j, k] += held[j, k]
        solve(A, 8)
        longest = 0.0
        for j in range(8):
            h[j] += A[8, j]
            longest = max(longest, abs(A[8, j]))
        if longest * 0.5 * max(neighbours.shape) < _CONVERGED:
            break
    return h


def align(
    planes: list[Plane],
    reference: Level,
    target: Level,
    flow: NDArray[np.float32],
    sigma: NDArray[np.float32],
    iterations: int,
) -> list[Plane]:
    """Return the planes, each as it maps the grey values of reference to target: Gauss-Newton, reweighted.

    A point counts by how well its grey values, and its vector, agree with the plane so far. Where the vector
    is not sure the grey values decide: so a plane grows into what is hard to match without it.

    Parameters
    ----------
    planes : list of Plane
        As found in the flow.
    flow, sigma : ndarray, shapes (2, H, W) and (H, W)
        Pixels, and pixels of twice the size; as large as the levels, or a power of two larger.
    iterations : int
        At most.

    References
    ----------
    S. Baker, I. Matthews, Lucas-Kanade 20 years on, IJCV 56, 2004, doi:10.1023/B:VISI.0000011205.11775.fd.
    """
    height, width = reference.image.shape
    scale = round(flow.shape[2] / width)
    step = max(1, round((height * width / _POINTS) ** 0.5))
    known = _gather(reference.image, flow, sigma, scale, step)
    return [
        plane._replace(homography=_align(plane.homography, known, target.neighbours, iterations))
        for plane in planes
    ]
