"""Planes found in inverse depth: with known motion a plane is linear in it, rho = n . a.

Sequential local RANSAC (Fischler and Bolles 1981, doi:10.1145/358669.358692): triples of nearby points
propose planes, the one that explains most of what is left is refined and taken away, until none is large.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from streamflow.planes.plane_fit import refined, truncated_residuals
from streamflow.values import Depth

Array = NDArray[np.float64]
Labels = NDArray[np.uint8]  # (h, w), 0: no plane, i + 1: plane i

MAX_PLANES = 6
MIN_SHARE = 0.03  # of the image
SPACING = 4  # pixels between the points that are looked at
SEARCHED = 3000  # of them, among which planes are searched for
HYPOTHESES = 120  # a plane
SCORED = 500  # points that a hypothesis is tried on
NEAR, FAR = 4, 30  # distance of a triple's points, in spacings
GATE = 2.5  # standard deviations between a point and its plane
RELATIVE = 0.01  # error of inverse depth that its variance does not tell, as a share
WINDOW = (7, 7)  # points that are looked at together to tell on which plane they are
OBEYED = 3.0  # largest mean of their squared residuals
SPECK = 0.1  # part of a region over its largest, below which it is left out
NEARLY = 0.05  # relative error of points that a region grows over
CERTAIN = 4.0  # standard deviations from zero: a point that may as well be at infinity tells of no plane
MAJORITY = 0.4  # share of them that has to be known


@dataclass(frozen=True, eq=False)
class Points:
    """Known inverse depths on the grid; both sides of rho = n . a divided by the deviation of rho."""

    rays: Array  # (N, 3)
    rho: Array  # (N,)
    index: NDArray[np.intp]  # (N,), cells of the grid
    shape: tuple[int, int]  # of the grid

    def __getitem__(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> "Points":
        """The chosen ones."""
        return Points(self.rays[chosen], self.rho[chosen], self.index[chosen], self.shape)


def find_planes(
    depth: Depth,
    K: Array,
    rng: np.random.Generator,
    *,
    known: Array | None = None,
) -> tuple[Array, Labels]:
    """Find the planes of a scene in its inverse depth.

    Parameters
    ----------
    depth : of the reference image.
    K : camera matrix, pixels.
    rng : draws the hypotheses.
    known : (M, 3), planes to try first, as those of the frame before.

    Returns
    -------
    n : (P, 3), n . a = inverse depth on the plane: its unit normal, away from the camera, over its distance.
    labels : (h, w), on every SPACING-th pixel; 0 where there is no plane, i + 1 on plane i.
    """
    points = _points(depth, K)
    place = np.full(points.shape, -1)
    place.flat[points.index] = np.arange(len(points.index))
    left = points[rng.permutation(len(points.rho))[:SEARCHED]]
    fewest = MIN_SHARE * place.size
    share = fewest * len(left.rho) / max(len(points.rho), 1)
    planes: list[Array] = []
    while len(planes) < MAX_PLANES and len(left.rho) > share:
        n = refined(_best(left, points, place, rng, known), left.rays, left.rho, GATE, 4)
        obey = np.abs(left.rays @ n - left.rho) < GATE
        if np.count_nonzero(obey) < share:
            break
        planes.append(n)
        left = left[~obey]
    return _settled(np.array(planes).reshape(-1, 3), points, fewest)


def _points(depth: Depth, K: Array) -> Points:
    scatter = depth.variance if depth.scatter is None else depth.scatter
    inverse, variance = depth.inverse[::SPACING, ::SPACING], scatter[::SPACING, ::SPACING]
    index = np.flatnonzero(inverse > CERTAIN * np.sqrt(variance))  # False for NaN
    row, column = np.divmod(index, inverse.shape[1])
    rays = np.stack([column * SPACING, row * SPACING, np.ones(len(index))], axis=1) @ np.linalg.inv(K).T
    rho = inverse.ravel()[index].astype(float)
    per_deviation = 1 / np.sqrt(variance.ravel()[index] + (RELATIVE * rho) ** 2)
    return Points(rays * per_deviation[:, None], rho * per_deviation, index, inverse.shape)


def _best(
    left: Points,
    points: Points,
    place: NDArray[np.intp],
    rng: np.random.Generator,
    known: Array | None,
) -> Array:
    """The plane through three nearby points, or the known one, that most of a sample obey."""
    planes = _hypotheses(left, points, place, rng)
    if known is not None:
        planes = np.concatenate([known, planes])
    tried = rng.integers(len(left.rho), size=SCORED)
    cost = truncated_residuals(planes, left.rays[tried], left.rho[tried], GATE).sum(axis=1)
    best: Array = planes[np.argmin(cost)]
    return best


def _hypotheses(left: Points, points: Points, place: NDArray[np.intp], rng: np.random.Generator) -> Array:
    """Planes through local triples: a point, and two others a similar way off in other directions."""
    row, column = np.divmod(left.index[rng.integers(len(left.index), size=HYPOTHESES)], place.shape[1])
    way = np.exp(rng.uniform(np.log(NEAR), np.log(FAR), (2, HYPOTHESES)))
    angle = rng.uniform(0, 2 * np.pi, HYPOTHESES) + np.array([[0], [1]]) * rng.uniform(1, 2, HYPOTHESES)
    rows = np.clip(np.rint(row + way * np.sin(angle)).astype(int), 0, place.shape[0] - 1)
    columns = np.clip(np.rint(column + way * np.cos(angle)).astype(int), 0, place.shape[1] - 1)
    triple = np.column_stack([place[row, column], *place[rows, columns]])
    triple = triple[(triple >= 0).all(axis=1)]
    rays, rho = points.rays[triple], points.rho[triple]
    solvable = np.abs(np.linalg.det(rays)) > 1e-9 * np.prod(np.linalg.norm(rays, axis=2), axis=1)
    planes = np.linalg.solve(rays[solvable], rho[solvable, :, None])[..., 0]
    return np.concatenate([planes, np.zeros((1, 3))])


def _settled(planes: Array, points: Points, fewest: float) -> tuple[Array, Labels]:
    """Each point to the plane it obeys best, in smooth regions; small and scattered ones dropped.

    The others are refined, and grow over points around them that no plane explains.
    """
    labels = _labels(planes, points)
    owner = labels.flat[points.index]
    size = np.bincount(owner, minlength=len(planes) + 1)[1:]
    large = [i for i in np.flatnonzero(size >= fewest) if _largest(labels == i + 1) >= fewest / 2]
    regions = [points[owner == i + 1] for i in large]
    fits = [refined(planes[i], mine.rays, mine.rho, GATE, 2) for i, mine in zip(large, regions, strict=True)]
    order = np.zeros(256, np.uint8)
    order[np.array(large, int) + 1] = np.arange(len(large)) + 1
    settled = np.array(fits).reshape(-1, 3)
    return settled, _grown(order[labels], settled, points)


def _largest(region: NDArray[np.bool_]) -> int:
    """Points of its largest connected part."""
    _, _, statistics, _ = cv2.connectedComponentsWithStats(region.view(np.uint8))
    return int(statistics[1:, cv2.CC_STAT_AREA].max(initial=0))


def _grown(labels: Labels, planes: Array, points: Points) -> Labels:
    """Give points without a plane the one that they nearly obey, where they are connected to its region.

    Parts of a region that remain small against its largest are left out.
    """
    near = _nearly(labels, planes, points)
    grown = np.zeros_like(labels)
    for i in range(1, len(planes) + 1):
        whole = (labels == i) | (near == i)
        count, parts, statistics, _ = cv2.connectedComponentsWithStats(whole.view(np.uint8), connectivity=4)
        areas = statistics[:, cv2.CC_STAT_AREA] * (np.bincount(parts[labels == i], minlength=count) > 0)
        kept = areas > SPECK * areas[1:].max(initial=0)
        kept[0] = False
        grown[kept[parts]] = i
    return grown


def _nearly(labels: Labels, planes: Array, points: Points) -> Labels:
    """The plane that a point without one comes nearest, if it is near at all."""
    near = np.zeros_like(labels)
    free = labels.flat[points.index] == 0
    if len(planes):
        deviation = np.abs(points.rays[free] @ planes.T / points.rho[free, None] - 1)
        best = np.argmin(deviation, axis=1)
        obey = deviation[np.arange(len(best)), best] < NEARLY
        near.flat[points.index[free]] = np.where(obey, best + 1, 0)
    return near


def _labels(planes: Array, points: Points) -> Labels:
    """The plane that a point and its neighbours obey best, if they do."""
    known, cost = np.zeros((2, *points.shape), np.float32)
    known.flat[points.index] = 1
    known = np.asarray(cv2.blur(known, WINDOW), np.float32)
    least, labels = np.asarray(known * OBEYED, np.float32), np.zeros(points.shape, np.uint8)
    for i, costs in enumerate(truncated_residuals(planes, points.rays, points.rho, GATE)):
        cost.flat[points.index] = costs
        around = np.asarray(cv2.blur(cost, WINDOW), np.float32)
        better = around < least
        labels[better] = i + 1
        least[better] = around[better]
    labels[known < MAJORITY] = 0
    return labels
