"""Plane and parallax: what a rigid scene's flow may add to that of a plane, without any calibration.

Off the plane every point of a rigid scene is displaced along the line to one point, the epipole, by an amount
that grows with its nearness (Irani & Anandan 1998, A Unified Approach to Moving Object Detection in 2D and 3D
Scenes). What leaves its line moves by itself, and so does what is displaced the wrong way.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streamflow.kernels.jit import kernel
from streamflow.values import Map, Matrix, Vectors

TRIES = 60  # pairs of lines whose crossing is tried
MAX_DISTANCE = 4.0  # standard deviations from its line beyond which a point costs no more
GATE = 3.0  # standard deviations at which Geman and McClure's weight has fallen to a quarter
REFINEMENTS = 8


class Parallax(NamedTuple):
    """The displacement off a plane, in coordinates along and across the line to the epipole."""

    along: Map  # (h, w) pixels, towards the epipole
    across: Map  # (h, w) pixels
    towards: Vectors  # (h, w, 2) unit vectors to the epipole
    distance: Map  # (h, w) to the epipole; the nearness of a point is `along` over it


def find_epipole(
    targets: NDArray[np.floating],
    residual: NDArray[np.floating],
    variance: Map,
    weight: Map,
    start: Matrix | None,
    rng: np.random.Generator,
) -> Matrix | None:
    """Find where the lines through N target points along their displacement off a plane meet.

    Parameters
    ----------
    targets, residual : (N, 2) pixels
    variance : (N,) of each component, pixels^2
    weight : (N,) how far each belongs to the background
    start : (3,) where they met in the pair before

    Returns
    -------
    (3,) homogeneous, of unit length; None where nothing is displaced. Its sign means nothing.
    """
    lines = _lines(targets, residual)
    sigma = np.sqrt(variance)
    clear = np.flatnonzero((np.square(residual).sum(axis=-1) > 4 * variance) & (weight > 0.1))
    if len(clear) < 2 * TRIES:
        return None
    first, second = lines[rng.choice(clear, (2, TRIES))]
    crossings = np.cross(first, second)
    tries = crossings[np.linalg.norm(crossings, axis=1) > 0]
    tries = tries if start is None else np.vstack([start, tries])
    tries /= np.linalg.norm(tries, axis=1, keepdims=True)
    costs = _costs(targets, lines, sigma, weight, tries)
    return _refined(tries[np.argmin(costs)], targets, lines, sigma, weight)


def _lines(points: NDArray[np.floating], directions: NDArray[np.floating]) -> NDArray[np.floating]:
    """(N, 3) lines through the points, their normals as long as the directions."""
    normals = np.stack([-directions[:, 1], directions[:, 0]], axis=1)
    return np.column_stack([normals, -(normals * points).sum(axis=1)])


@kernel(fastmath=True)
def _costs(points, lines, sigma, weight, tries):
    """Weighted sum of the squared distances from the lines, none counted beyond `MAX_DISTANCE`; one a try."""
    costs = np.zeros(len(tries))
    for t in range(len(tries)):
        e0, e1, e2 = tries[t]
        for i in range(len(points)):
            d0, d1 = e0 - points[i, 0] * e2, e1 - points[i, 1] * e2
            cross = d0 * lines[i, 0] + d1 * lines[i, 1]
            square = cross * cross / ((d0 * d0 + d1 * d1) * sigma[i] ** 2 + 1e-12)
            costs[t] += weight[i] * min(square, MAX_DISTANCE**2)
    return costs


def _refined(
    epipole: Matrix, points: NDArray[np.floating], lines: NDArray[np.floating], sigma: Map, weight: Map
) -> Matrix:
    """Solve the lines for the epipole, each with the weight that its distance from the last one leaves it."""
    for _ in range(REFINEMENTS):
        distance = np.hypot(*(epipole[:2] - points * epipole[2]).T) * sigma + 1e-6
        off = lines @ epipole / distance
        w = weight / (np.square(1 + np.square(off / GATE)) * np.square(distance))
        epipole = np.linalg.eigh((lines * w[:, None]).T.astype(float) @ lines)[1][:, 0]
    return np.asarray(epipole)


def parallax(epipole: Matrix, targets: NDArray[np.floating], residual: Vectors) -> Parallax:
    """Split displacements off a plane (h, w, 2) into those along and across the lines to the epipole."""
    to = (epipole[:2] - targets * epipole[2]).astype(np.float32)
    distance = np.hypot(to[..., 0], to[..., 1]) + np.float32(1e-12)
    towards = to / distance[..., None]
    along = (towards * residual).sum(axis=-1)
    across = towards[..., 0] * residual[..., 1] - towards[..., 1] * residual[..., 0]
    return Parallax(along, across, towards, distance)
