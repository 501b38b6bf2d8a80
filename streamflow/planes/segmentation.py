"""Planes found in inverse depth: with known motion a plane is linear in it, rho = n . a.

Sequential local RANSAC (Fischler and Bolles 1981, doi:10.1145/358669.358692): triples of nearby points
propose planes, the one that explains most of what is left is refined and taken away, until none is large.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from streamflow.values import Depth

Matrix = NDArray[np.float64]  # (3, 3)
Labels = NDArray[np.uint8]  # (h, w), 0: no plane, i: the i-th

SPACING = 4  # pixels between the points that are looked at
HYPOTHESES = 120  # a plane
SCORED = 1000  # points that a hypothesis is tried on
NEAR, FAR = 4, 30  # distance of a triple's points, in spacings
GATE = 2.5  # standard deviations between a point and its plane
RELATIVE = 0.01  # error of inverse depth that its variance does not tell, as a share
ROUNDS = 4  # of reweighting


@dataclass(frozen=True, eq=False)
class Points:
    """Known inverse depths on the grid."""

    rays: NDArray[np.float64]  # (N, 3), a = K^-1 [x, 1]
    rho: NDArray[np.float64]  # (N,)
    deviation: NDArray[np.float64]  # (N,)
    index: NDArray[np.intp]  # (N,), of the grid's cells
    shape: tuple[int, int]  # of the grid

    def __getitem__(self, chosen: NDArray[np.bool_]) -> "Points":
        """The chosen ones."""
        rays, rho, deviation, index = (
            self.rays[chosen], self.rho[chosen], self.deviation[chosen], self.index[chosen],
        )  # fmt: skip
        return Points(rays, rho, deviation, index, self.shape)

    def residual(self, n: NDArray[np.float64]) -> NDArray[np.float64]:
        """Distance from the plane n, in standard deviations."""
        return np.asarray(np.abs(self.rays @ n - self.rho) / self.deviation)


def find_planes(
    depth: Depth,
    K: Matrix,
    rng: np.random.Generator,
    *,
    known: NDArray[np.float64] | None = None,
    most: int = 6,
    smallest: float = 0.03,
) -> tuple[NDArray[np.float64], Labels]:
    """Find the planes of a scene in its inverse depth.

    Parameters
    ----------
    depth : of the reference image.
    K : camera matrix, pixels.
    rng : draws the hypotheses.
    known : (M, 3), planes to try first, as those of the frame before.
    most : planes to look for.
    smallest : plane, as a share of the image.

    Returns
    -------
    n : (P, 3), n . a = inverse depth on the plane: its unit normal, away from the camera, over its distance.
    labels : (h, w), on every SPACING-th pixel; 0 where there is no plane, i + 1 on plane i.
    """
    points = _points(depth, K)
    fewest = smallest * points.shape[0] * points.shape[1]
    planes: list[NDArray[np.float64]] = []
    left = points
    while len(planes) < most and len(left.rho) > max(fewest, SCORED / 10):
        n = _refined(_best(left, rng, known), left)
        obey = left.residual(n) < GATE
        if np.count_nonzero(obey) < fewest:
            break
        planes.append(n)
        left = left[~obey]
    if not planes:
        return np.empty((0, 3)), np.zeros(points.shape, np.uint8)
    return _settled(np.array(planes), points, fewest)


def _points(depth: Depth, K: Matrix) -> Points:
    grid = np.s_[::SPACING, ::SPACING]
    rho, variance = depth.inverse[grid], depth.variance[grid]
    index = np.flatnonzero(np.isfinite(rho))
    row, column = np.unravel_index(index, rho.shape)
    pixels = np.stack([column * SPACING, row * SPACING, np.ones(len(index))], axis=1)
    rho, variance = rho.ravel()[index].astype(float), variance.ravel()[index]
    deviation = np.sqrt(variance + (RELATIVE * rho) ** 2)
    return Points(pixels @ np.linalg.inv(K).T, rho, deviation, index, depth.inverse[grid].shape)


def _best(points: Points, rng: np.random.Generator, known: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """The plane through three nearby points, or the known one, that most of a sample obey."""
    planes = _hypotheses(points, rng)
    if known is not None:
        planes = np.concatenate([known, planes])
    tried = rng.integers(len(points.rho), size=SCORED)
    distance = (planes @ points.rays[tried].T - points.rho[tried]) / points.deviation[tried]
    cost = np.minimum(distance**2, GATE**2).sum(axis=1)
    best: NDArray[np.float64] = planes[np.argmin(cost)]
    return best


def _hypotheses(points: Points, rng: np.random.Generator) -> NDArray[np.float64]:
    """Planes through local triples: a point, and two others a similar way off in other directions."""
    place = np.full(points.shape, -1)
    place.flat[points.index] = np.arange(len(points.index))
    first = rng.integers(len(points.index), size=HYPOTHESES)
    way = np.exp(rng.uniform(np.log(NEAR), np.log(FAR), (2, HYPOTHESES)))
    angle = rng.uniform(0, 2 * np.pi, HYPOTHESES) + np.array([[0], [1]]) * rng.uniform(1, 2, HYPOTHESES)
    row, column = np.unravel_index(points.index[first], points.shape)
    rows = np.clip(np.rint(row + way * np.sin(angle)).astype(int), 0, points.shape[0] - 1)
    columns = np.clip(np.rint(column + way * np.cos(angle)).astype(int), 0, points.shape[1] - 1)
    triple = np.column_stack([first, *place[rows, columns]])
    triple = triple[(triple >= 0).all(axis=1)]
    rays = points.rays[triple]
    solvable = np.abs(np.linalg.det(rays)) > 1e-9
    if not solvable.any():
        return np.zeros((1, 3))
    planes: NDArray[np.float64] = np.linalg.solve(rays[solvable], points.rho[triple[solvable], None])[..., 0]
    return planes


def _refined(n: NDArray[np.float64], points: Points) -> NDArray[np.float64]:
    """Reweighted least squares, Geman-McClure weights."""
    for _ in range(ROUNDS):
        near = points[points.residual(n) < 3 * GATE]
        weight = 1 / ((1 + (near.residual(n) / GATE) ** 2) * near.deviation) ** 2
        rays = near.rays * weight[:, None]
        n = np.linalg.solve(rays.T @ near.rays + 1e-12 * np.eye(3), rays.T @ near.rho)
    return n


def _settled(
    planes: NDArray[np.float64], points: Points, fewest: float
) -> tuple[NDArray[np.float64], Labels]:
    """Each point to the plane it obeys best, in smooth regions; small ones dropped, the others refined."""
    labels = _labels(planes, points)
    owner = labels.flat[points.index]
    large = [i for i in range(len(planes)) if np.count_nonzero(owner == i + 1) >= fewest]
    planes = np.array([_refined(planes[i], points[owner == i + 1]) for i in large]).reshape(-1, 3)
    order = np.zeros(256, np.uint8)
    order[np.array(large, int) + 1] = np.arange(len(large)) + 1
    return planes, order[labels]


def _labels(planes: NDArray[np.float64], points: Points) -> Labels:
    residual = np.abs(planes @ points.rays.T - points.rho) / points.deviation
    votes = np.zeros((len(planes), *points.shape), np.float32)
    obey = (residual == residual.min(axis=0)) & (residual < GATE)
    for vote, mine in zip(votes, obey, strict=True):
        vote.flat[points.index] = mine
        cv2.blur(vote, (5, 5), dst=vote)
    return np.where(votes.max(axis=0) > 0.4, votes.argmax(axis=0) + 1, 0).astype(np.uint8)
