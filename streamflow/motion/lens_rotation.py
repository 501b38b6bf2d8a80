"""A camera that turns behind a lens whose focal length is not known, or changes: a zoom.

Seen with a focal length that is wrong by the factor s, a rotation is the homography D(s') R D(s)^-1,
D(s) = diag(s, s, 1): with s' = s where the lens stays as it is, and s' = s times the zoom where it does not
(Hartley & Zisserman 2004, 19.7, calibration from rotating cameras).
"""

from math import exp, sqrt
from typing import NamedTuple

import numpy as np

from streamflow.kernels.jit import kernel
from streamflow.kernels.least_squares import products, solve_step
from streamflow.kernels.so3 import turn
from streamflow.kernels.vec3 import cross, mapped
from streamflow.values import Matrix

SEARCHED = 400  # points: enough to find it
SEARCH_SCALES = np.array([30.0, 20.0, 10.0, 5.0, 3.0, 2.0, 1.0, 1.0, 1.0])
POLISH_SCALES = np.ones(5)
WIDEST, LONGEST = -1.2, 2.2  # logarithm of the focal length over the assumed one: 125 and 7 degrees


class LensRotation(NamedTuple):
    """A rotation with its lens."""

    R: Matrix  # (3, 3)
    log_focal: float  # logarithm of the focal length over that of the camera matrix
    log_zoom: float  # logarithm of the target's focal length over the reference's

    @property
    def homography(self) -> Matrix:
        """(3, 3) b ~ H a in the coordinates of the camera matrix."""
        reference, target = np.exp(self.log_focal), np.exp(self.log_focal + self.log_zoom)
        return np.asarray(
            np.diag([target, target, 1.0]) @ self.R @ np.diag([1 / reference, 1 / reference, 1.0])
        )


def fit_lens_rotation(
    matches: Matrix, R: Matrix, log_focal: float, scale: float, *, focal_known: bool, zooms: bool
) -> LensRotation:
    """Robust fit by reweighted Gauss-Newton.

    Parameters
    ----------
    matches : (7, N)
    R, log_focal : (3, 3) and logarithm of the focal length over that of the camera matrix: where to start
    scale : Geman-McClure scale, in standard deviations of a match
    focal_known : whether the reference's focal length is that of the camera matrix
    zooms : whether the focal length may change from one image to the other
    """
    free = np.array([not focal_known, zooms])
    spread = np.ascontiguousarray(matches[:, :: -(-matches.shape[1] // SEARCHED)])
    start = _descended(spread, R, log_focal, 0.0, scale * SEARCH_SCALES, free)
    return _descended(matches, start.R, start.log_focal, start.log_zoom, scale * POLISH_SCALES, free)


def _descended(
    matches: Matrix, R: Matrix, log_focal: float, log_zoom: float, scales: Matrix, free: Matrix
) -> LensRotation:
    R, lens = R.copy(), np.array([log_focal, log_zoom])
    rows, A = np.empty((6, 2 * matches.shape[1])), np.empty((6, 6))
    descend_lens_rotation(matches, R, lens, scales, free, rows, A)
    return LensRotation(R, float(lens[0]), float(lens[1]))


@kernel()
def descend_lens_rotation(matches, R, lens, scales, free, rows, A):
    """Move R and lens (log focal, log zoom), in place, to the least robust error."""
    for step in range(scales.size):
        linearise_lens_rotation(matches, R, lens, scales[step], free, rows)
        products(rows, A)
        solve_step(A, 5)
        turn(R, A[5, 0], A[5, 1], A[5, 2])
        lens[0] = min(max(lens[0] + A[5, 3], WIDEST), LONGEST)
        lens[1] += A[5, 4]


@kernel(fastmath=True)
def linearise_lens_rotation(matches, R, lens, scale, free, rows):
    """Weighted rows (6, 2 N) of one step, Jacobian and error, as `linearise_transfer`."""
    n = matches.shape[1]
    reference, target = exp(lens[0]), exp(lens[0] + lens[1])
    for i in range(n):
        a1, a2 = matches[0, i] / reference, matches[1, i] / reference
        q1, q2, q3 = mapped(R, a1, a2)
        p1, p2 = target * q1 / q3, target * q2 / q3
        L11 = sqrt(matches[4, i])
        L21 = matches[5, i] / L11
        L22 = sqrt(matches[6, i] - L21 * L21)
        e1 = (matches[2, i] - p1) / L11
        e2 = (matches[3, i] - p2 - L21 * e1) / L22
        root = 1.0 / (1.0 + (e1 * e1 + e2 * e2) / (scale * scale))
        f1, f2, f3 = q1 - R[0, 2], q2 - R[1, 2], q3 - R[2, 2]  # - dq by the logarithm of the focal length
        for part in range(2):
            c1, c2, error = root / L11, 0.0, root * e1
            if part == 1:
                c1, c2, error = -c1 * L21 / L22, root / L22, root * e2
            d1, d2 = target * c1 / q3, target * c2 / q3
            d3 = -(d1 * q1 + d2 * q2) / q3
            k = part * n + i
            growth = c1 * p1 + c2 * p2
            rows[0, k], rows[1, k], rows[2, k] = cross(q1, q2, q3, d1, d2, d3)
            rows[3, k] = growth - (d1 * f1 + d2 * f2 + d3 * f3) if free[0] else 0.0
            rows[4, k] = growth if free[1] else 0.0
            rows[5, k] = error
