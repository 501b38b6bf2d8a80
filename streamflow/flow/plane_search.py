"""Planes in the picture: homographies that many vectors obey, found one after the other."""

import numpy as np
from numpy.typing import NDArray

from streamflow.flow.plane_homography import Plane, add_constraint, predict
from streamflow.kernels.jit import kernel
from streamflow.kernels.least_squares import products, solve

HYPOTHESES = 128
MIN_SUPPORT = 0.08  # of the grid's points
_POINTS = 800
_SCORING_STRIDE = 3  # hypotheses are scored on every third point
_REFITS = 3
_USED_SHARE = 0.9  # of the points: the least sure are left out
# How far from a plane an inlier may be: pixels, and sigma, which is in pixels of twice the size
MIN_INLIER_LIMIT = 0.3
INLIER_SIGMAS = 0.3
_REMOVED = 1.5**2  # squared error over the limit's square: what is nearer takes no part in the next plane


@kernel(fastmath=True)
def _fit(points, weights):
    """Return the weighted least-squares plane of vectors (u, v) at (x, y); rows x, y, u, v."""
    rows, A = np.empty((9, 2 * len(weights))), np.empty((9, 9))
    for i in range(len(weights)):
        x, y, u, v, weight = points[0, i], points[1, i], points[2, i], points[3, i], weights[i]
        add_constraint(rows, 2 * i, x, y, u, v, weight, 0.0, weight * u)
        add_constraint(rows, 2 * i + 1, x, y, u, v, 0.0, weight, weight * v)
    products(rows, A)
    ridge = 1e-9 * (A[2, 2] + 1e-9)
    for j in range(8):
        A[j, j] += ridge
    solve(A, 8)
    return A[8, :8].copy()


@kernel(fastmath=True)
def _measure(points, plane, errors):
    """Write the squared errors of the plane, in units of the limits, and return what they cost."""
    cost = 0.0
    for i in range(points.shape[1]):
        u, v, _ = predict(plane, points[0, i], points[1, i])
        du, dv = u - points[2, i], v - points[3, i]
        errors[i] = (du * du + dv * dv) * points[4, i]
        cost += points[5, i] * min(errors[i], 1.0)
    return cost


@kernel()
def _refit(points, plane, errors):
    """Return the plane, if that costs less refitted to the points by their errors, and its cost."""
    lowest = _measure(points, plane, errors)
    weights = np.empty(len(errors))
    for _ in range(_REFITS):
        for k in range(len(errors)):
            weights[k] = np.sqrt(points[4, k]) / (1 + errors[k])
        refitted = _fit(points, weights)
        cost = _measure(points, refitted, errors)
        if cost < lowest:
            lowest, plane = cost, refitted
    return plane, lowest


@kernel("Tuple((float64[::1], float64[::1]))(float64[:,::1], float64[:,::1])")
def _search(points, draws):
    """Return the plane that most points obey, and their squared errors: MSAC, each best hypothesis refitted.

    Parameters
    ----------
    points : ndarray, shape (6, N)
        Rows x, y, u, v, 1 / limit^2, weight.
    draws : ndarray, shape (hypotheses, 4)
        Which four points a hypothesis goes through, as fractions of N.

    References
    ----------
    P. Torr, A. Zisserman, MLESAC, CVIU 78, 2000, doi:10.1006/cviu.1999.0832.
    O. Chum, J. Matas, J. Kittler, Locally optimized RANSAC, DAGM 2003, doi:10.1007/978-3-540-45243-0_31.
    """
    subset = points[:, ::_SCORING_STRIDE].copy()
    n = subset.shape[1]
    errors, best, lowest = np.empty(n), np.zeros(8), np.inf
    minimal, equal = np.empty((4, 4)), np.ones(4)
    for i in range(len(draws)):
        for k in range(4):
            chosen = int(draws[i, k] * n)
            for row in range(4):  # numba takes seconds to compile the assignment of a slice
                minimal[row, k] = subset[row, chosen]
        plane = _fit(minimal, equal)
        cost = _measure(subset, plane, errors)
        if cost > lowest:
            continue
        plane, cost = _refit(subset, plane, errors)
        if cost < lowest:
            lowest, best = cost, plane
    errors = np.empty(points.shape[1])
    best, _ = _refit(points, best, errors)
    _measure(points, best, errors)
    return best, errors


class PlaneSearch:
    """The search for flows of one size, on a grid of about 800 points; the same flow gives the same planes.

    More than half of the hypotheses take their points from one part of the image: smaller planes are found
    too.
    """

    def __init__(self, height: int, width: int) -> None:
        step = max(1, round((height * width / _POINTS) ** 0.5))
        rows, columns = np.mgrid[step // 2 : height : step, step // 2 : width : step]
        order = np.argsort(_interleaved(rows // step, columns // step).ravel())
        self._rows, self._columns = rows.ravel()[order], columns.ravel()[order]
        self._shape = height, width
        self._unit = 0.5 * max(height, width)
        rng = np.random.default_rng(0)
        span = 0.5 ** rng.integers(0, 4, (HYPOTHESES, 1))
        self._draws = rng.random((HYPOTHESES, 1)) * (1 - span) + span * rng.random((HYPOTHESES, 4))

    def __call__(self, flow: NDArray[np.float32], sigma: NDArray[np.float32], most: int) -> list[Plane]:
        """Return up to `most` planes of a flow (2, H, W), that of most vectors first.

        The less sure a vector by sigma (H, W), the less its say, and the farther from its plane it may be.
        The least sure have none, nor have those that lead outside.
        """
        points = self._points(flow, sigma)
        planes: list[Plane] = []
        min_inliers = MIN_SUPPORT * len(self._rows)
        while len(planes) < most and points.shape[1] > min_inliers:
            homography, errors = _search(points, self._draws)
            obeys = errors < _REMOVED
            if obeys.sum() < min_inliers:
                break
            precision = (MIN_INLIER_LIMIT / self._unit) ** 2 * points[4]
            support = (precision * np.maximum(1 - errors, 0)).sum() / len(self._rows)
            planes.append(Plane(homography, float(support)))
            points = np.ascontiguousarray(points[:, ~obeys])
        return planes

    def _points(self, flow: NDArray[np.float32], sigma: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return what `_search` needs of the grid's points, those without a say left out."""
        height, width = self._shape
        u, v = flow[:, self._rows, self._columns].astype(np.float64)
        doubt = sigma[self._rows, self._columns]
        x, y = self._columns + u, self._rows + v
        most = int(_USED_SHARE * len(doubt))
        good = (doubt <= np.partition(doubt, most)[most]) & (x >= 0) & (y >= 0) & (x < width) & (y < height)
        where = np.stack([self._columns - 0.5 * width, self._rows - 0.5 * height, u, v])[:, good] / self._unit
        limit = np.maximum(MIN_INLIER_LIMIT, INLIER_SIGMAS * doubt[good])
        return np.stack([*where, (limit / self._unit) ** -2.0, (MIN_INLIER_LIMIT / limit) ** 0.5])


def _interleaved(rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return keys that sort a grid so that neighbours in the order are neighbours in the picture (Morton)."""
    bits = range(16)
    return sum(((columns >> b & 1) << 2 * b) + ((rows >> b & 1) << 2 * b + 1) for b in bits)  # type: ignore[return-value]
