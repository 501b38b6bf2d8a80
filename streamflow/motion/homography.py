"""Motions without parallax: b ~ H a with H the identity (still), a rotation, or any homography (a plane).

A shutter that rolls takes every row a little later, and a camera in the hand turns at a changing rate: its
rotation differs from row to row, to first order by a2 `rolling_rate`, a vector (3,) in radians per unit of a2
(Ringaby & Forssen 2012, Efficient video rectification and stabilisation for cell-phones).
"""

from math import log, sqrt

import numpy as np

from streamflow.kernels.jit import kernel
from streamflow.kernels.least_squares import products, solve_step
from streamflow.kernels.so3 import turn
from streamflow.kernels.vec3 import cross, mapped
from streamflow.values import Matrix

TURN, ROLLING, ENTRIES = (
    3,
    6,
    8,
)  # free: a rotation, its rolling rate too, or all entries of H but the last
STEADY = np.zeros(3)  # the same rotation in every row
UNEVEN = 0.15  # of the rolling rate: so much of it may itself change from row to row


def fit_rotation(matches: Matrix, R: Matrix, scales: Matrix) -> Matrix:
    """Robust rotation (3, 3) nearest to the flow, from the start R, one step per annealed scale."""
    return _fit(matches, R, STEADY, scales, TURN)[0]


def fit_rolling_rotation(
    matches: Matrix, R: Matrix, rolling_rate: Matrix, scales: Matrix
) -> tuple[Matrix, Matrix]:
    """The same for a rolling shutter: the rotation (3, 3) of the principal point's row, its rate (3,)."""
    return _fit(matches, R, rolling_rate, scales, ROLLING)


def fit_homography(matches: Matrix, H: Matrix, scales: Matrix) -> Matrix:
    """Robust homography (3, 3), H33 = 1, from the start H, one step per annealed scale."""
    return _fit(matches, H / H[2, 2], STEADY, scales, ENTRIES)[0]


def _fit(
    matches: Matrix, H: Matrix, rolling_rate: Matrix, scales: Matrix, free: int
) -> tuple[Matrix, Matrix]:
    rows, A = np.empty((free + 1, 2 * matches.shape[1])), np.empty((free + 1, free + 1))
    H, rolling_rate = H.copy(), rolling_rate.copy()
    descend(matches, H, rolling_rate, scales, rows, A)
    return H, rolling_rate


@kernel()
def descend(matches, H, rolling_rate, scales, rows, A):
    """Move H (3, 3) and rolling_rate, in place, to the least robust error; rows and A are room to work."""
    free = A.shape[0] - 1
    for step in range(scales.size):
        linearise_transfer(matches, H, rolling_rate, scales[step], rows)
        products(rows, A)
        solve_step(A, free)
        if free < ENTRIES:
            turn(H, A[free, 0], A[free, 1], A[free, 2])
            for j in range(TURN, free):
                rolling_rate[j - TURN] += A[free, j]
        else:
            for j in range(free):
                H[j // 3, j % 3] += A[free, j]


@kernel(fastmath=True)
def seen_by_row(H, rolling_rate, a1, a2):
    """H a, turned by the rolling_rate of its row: three numbers."""
    q1, q2, q3 = mapped(H, a1, a2)
    c1, c2, c3 = cross(rolling_rate[0], rolling_rate[1], rolling_rate[2], q1, q2, q3)
    return q1 + a2 * c1, q2 + a2 * c2, q3 + a2 * c3


@kernel(fastmath=True)
def linearise_transfer(matches, H, rolling_rate, scale, rows):
    """Weighted rows of one step, written to `rows` (4, 7 or 9, 2 N): Jacobian of H a, and the error b - H a.

    The error is whitened by the Cholesky factor of its covariance, S = L L'.
    """
    n = matches.shape[1]
    for i in range(n):
        a1, a2 = matches[0, i], matches[1, i]
        q1, q2, q3 = seen_by_row(H, rolling_rate, a1, a2)
        L11 = sqrt(matches[4, i])
        L21 = matches[5, i] / L11
        L22 = sqrt(matches[6, i] - L21 * L21)
        e1 = (matches[2, i] - q1 / q3) / L11
        e2 = (matches[3, i] - q2 / q3 - L21 * e1) / L22
        root = 1.0 / (1.0 + (e1 * e1 + e2 * e2) / (scale * scale))
        for part in range(2):  # derivative d by q of the first component, then of the second
            d1 = root / (q3 * L11)
            d2 = 0.0
            if part == 1:
                d1, d2 = -d1 * L21 / L22, root / (q3 * L22)
            d3 = -(d1 * q1 + d2 * q2) / q3
            k = part * n + i
            rows[rows.shape[0] - 1, k] = root * (e2 if part == 1 else e1)
            if rows.shape[0] <= ROLLING + 1:
                rows[0, k], rows[1, k], rows[2, k] = cross(q1, q2, q3, d1, d2, d3)
                for j in range(TURN, rows.shape[0] - 1):
                    rows[j, k] = a2 * rows[j - TURN, k]
            else:
                rows[0, k], rows[1, k], rows[2, k] = d1 * a1, d1 * a2, d1
                rows[3, k], rows[4, k], rows[5, k] = d2 * a1, d2 * a2, d2
                rows[6, k], rows[7, k] = d3 * a1, d3 * a2


def transfer_errors(matches: Matrix, H: Matrix, rolling_rate: Matrix, inexact: float) -> Matrix:
    """Whitened squared distances (N,) between target points and where H takes the reference points.

    H may be wrong by the share `inexact` of the motion it makes, and the rolling rate by the share `UNEVEN`:
    both are added to the variance.
    """
    return np.asarray(transfer(matches, H, rolling_rate, inexact)[0])


@kernel(fastmath=True)
def transfer(matches, H, rolling_rate, inexact):
    """`transfer_errors` (N,), and the logarithm (N,) of how much the errors' area grew by what was added."""
    squared, log_ratio = np.empty(matches.shape[1]), np.empty(matches.shape[1])
    for i in range(matches.shape[1]):
        a1, a2 = matches[0, i], matches[1, i]
        q1, q2, q3 = seen_by_row(H, rolling_rate, a1, a2)
        p1, p2 = q1 / q3, q2 / q3
        m1, m2, e1, e2 = p1 - a1, p2 - a2, matches[2, i] - p1, matches[3, i] - p2
        h1, h2, h3 = mapped(H, a1, a2)
        d1, d2 = p1 - h1 / h3, p2 - h2 / h3
        doubt = inexact * inexact * (m1 * m1 + m2 * m2) + UNEVEN * UNEVEN * (d1 * d1 + d2 * d2)
        s11, s12, s22 = matches[4, i] + doubt, matches[5, i], matches[6, i] + doubt
        determinant = s11 * s22 - s12 * s12
        squared[i] = (s22 * e1 * e1 - 2 * s12 * e1 * e2 + s11 * e2 * e2) / determinant
        log_ratio[i] = 0.5 * log(determinant / (matches[4, i] * matches[6, i] - s12 * s12))
    return squared, log_ratio
