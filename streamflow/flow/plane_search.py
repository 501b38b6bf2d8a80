"""Planes in the picture: homographies that many confident vectors obey, found one after the other."""

import numpy as np
from numpy.typing import NDArray

from streamflow.compiler import kernel
from streamflow.normal_equations import solve

TRIES = 96
THRESHOLD = 0.3  # pixels
FEWEST = 0.08  # of the grid's points
_POINTS = 800
_REFITS = 3

Plane = NDArray[np.float64]
"""(8,), h of H = I + [[h0, h1, h2], [h3, h4, h5], [h6, h7, 0]], which takes reference to target: zeros stand
still, exactly. Coordinates from the middle of the image, in units of half its longer side."""


@kernel()
def _fit(points, weights):
    """Return the weighted least-squares plane of vectors (u, v) at (x, y); (4, N) rows x, y, u, v."""
    A, row = np.zeros((9, 8)), np.zeros((2, 8))
    for i in range(points.shape[1]):
        x, y, u, v = points[0, i], points[1, i], points[2, i], points[3, i]
        row[0, 0], row[0, 1], row[0, 2], row[0, 6], row[0, 7] = x, y, 1, -(x + u) * x, -(x + u) * y
        row[1, 3], row[1, 4], row[1, 5], row[1, 6], row[1, 7] = x, y, 1, -(y + v) * x, -(y + v) * y
        for j in range(8):
            left, right = weights[i] * row[0, j], weights[i] * row[1, j]
            A[8, j] += left * u + right * v
            for k in range(j + 1):
                A[j, k] += left * row[0, k] + right * row[1, k]
    ridge = 1e-9 * (A[2, 2] + 1e-9)
    for j in range(8):
        A[j, j] += ridge
    solve(A, 8)
    return A[8].copy()


@kernel(fastmath=True)
def _squared_errors(points, plane, out):
    """Write |predicted - given vector|^2, (N,)."""
    for i in range(points.shape[1]):
        x, y = points[0, i], points[1, i]
        along = plane[6] * x + plane[7] * y
        share = 1 / (1 + along)
        du = (plane[0] * x + plane[1] * y + plane[2] - x * along) * share - points[2, i]
        dv = (plane[3] * x + plane[4] * y + plane[5] - y * along) * share - points[3, i]
        out[i] = du * du + dv * dv


@kernel("Tuple((float64[::1], float64[::1]))(float64[:,::1], float64[:,::1], float64)")
def _search(points, draws, threshold):
    """Return the plane that most points obey, and their squared errors: MSAC, then reweighted fits.

    Parameters
    ----------
    points : ndarray, shape (4, N)
        Rows x, y, u, v.
    draws : ndarray, shape (tries, 4)
        Which four points a try goes through, as fractions of N.
    threshold : float
        In the unit of the points.

    References
    ----------
    P. Torr, A. Zisserman, MLESAC, CVIU 78, 2000, doi:10.1006/cviu.1999.0832.
    """
    n = points.shape[1]
    errors, best, lowest = np.empty(n), np.zeros(8), np.inf
    four, equal = np.empty((4, 4)), np.ones(4)
    square = threshold * threshold
    for i in range(len(draws)):
        for k in range(4):
            four[:, k] = points[:, int(draws[i, k] * n)]
        plane = _fit(four, equal)
        _squared_errors(points, plane, errors)
        cost = 0.0
        for k in range(n):
            cost += min(errors[k], square)
        if cost < lowest:
            lowest, best = cost, plane
    weights = np.empty(n)
    for _ in range(_REFITS):
        _squared_errors(points, best, errors)
        for k in range(n):
            weights[k] = 1 / (1 + errors[k] / square) ** 2
        best = _fit(points, weights)
    _squared_errors(points, best, errors)
    return best, errors


@kernel("void(float64[::1], float32[:,:,::1])", fastmath=True)
def planar_flow(plane, out):
    """Write a plane's flow, (2, H, W), pixels."""
    _, height, width = out.shape
    scale = 0.5 * max(height, width)
    for y in range(height):
        down = (y - 0.5 * height) / scale
        for x in range(width):
            right = (x - 0.5 * width) / scale
            along = plane[6] * right + plane[7] * down
            share = scale / max(1 + along, 0.1)
            u = (plane[0] * right + plane[1] * down + plane[2] - right * along) * share
            v = (plane[3] * right + plane[4] * down + plane[5] - down * along) * share
            out[0, y, x], out[1, y, x] = np.float32(u), np.float32(v)


class PlaneSearch:
    """The search for flows of one size, on a grid of about 800 points; the same flow gives the same planes.

    Half of the tries and more take their points from one part of the image: smaller planes are found too.
    """

    def __init__(self, height: int, width: int) -> None:
        step = max(1, round((height * width / _POINTS) ** 0.5))
        rows, columns = np.mgrid[step // 2 : height : step, step // 2 : width : step]
        order = np.argsort(_interleaved(rows // step, columns // step).ravel())
        self._rows, self._columns = rows.ravel()[order], columns.ravel()[order]
        self._shape = height, width
        self._unit = 0.5 * max(height, width)
        rng = np.random.default_rng(0)
        span = 0.5 ** rng.integers(0, 4, (TRIES, 1))
        self._draws = rng.random((TRIES, 1)) * (1 - span) + span * rng.random((TRIES, 4))

    def __call__(self, flow: NDArray[np.float32], sigma: NDArray[np.float32], most: int) -> list[Plane]:
        """Return up to `most` planes of a flow (2, H, W), that of most vectors first.

        Vectors in the less sure half by sigma (H, W), or leading outside, have no say.
        """
        height, width = self._shape
        u, v = flow[:, self._rows, self._columns].astype(np.float64)
        doubt = sigma[self._rows, self._columns]
        x, y = self._columns + u, self._rows + v
        good = (doubt <= np.median(doubt)) & (x >= 0) & (y >= 0) & (x < width) & (y < height)
        where = np.stack([self._columns - 0.5 * width, self._rows - 0.5 * height, u, v])
        points = np.ascontiguousarray(where[:, good] / self._unit)
        planes: list[Plane] = []
        fewest = FEWEST * len(doubt)
        while len(planes) < most and points.shape[1] > fewest:
            plane, errors = _search(points, self._draws, THRESHOLD / self._unit)
            obeys = errors < (1.5 * THRESHOLD / self._unit) ** 2
            if obeys.sum() < fewest:
                break
            planes.append(plane)
            points = np.ascontiguousarray(points[:, ~obeys])
        return planes


def _interleaved(rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return keys that sort a grid so that neighbours in the order are neighbours in the picture (Morton)."""
    bits = range(16)
    return sum(((columns >> b & 1) << 2 * b) + ((rows >> b & 1) << 2 * b + 1) for b in bits)  # type: ignore[return-value]
