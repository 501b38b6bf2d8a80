"""Joint refinement of rotation and translation: reweighted Fisher scoring on the epipolar residuals."""

from math import sqrt

import numpy as np

from streamflow.geometry.pose import Pose
from streamflow.kernels.jit import kernel
from streamflow.kernels.least_squares import solve_step
from streamflow.kernels.robust import median_of
from streamflow.kernels.so3 import tangent_basis, turn
from streamflow.motion.epipolar import NEAREST, TUNING, inverse_depth, linearise
from streamflow.values import Matrix

STANDSTILL = 1e-5  # radians


@kernel(fastmath=True)
def descend(matches, R, T, scales, nearest, farthest, free, A):
    """Joint steps T <- T + B tau, R <- exp(omega) R, one per annealed scale, fewer once they stand still.

    In place; A (6, 6) is room to work. Only the first `free` of the five parameters move: all of them, or
    the two of the translation.
    """
    for index in range(scales.size):
        B = tangent_basis(T)
        linearise(matches, 0, matches.shape[1], R, T, B, scales[index], nearest, farthest, A)
        longest = solve_step(A, free)
        square = 0.0
        for k in range(3):
            T[k] += B[k, 0] * A[5, 0] + B[k, 1] * A[5, 1]
            square += T[k] * T[k]
        for k in range(3):
            T[k] /= sqrt(square)
        if free == 5:
            turn(R, A[5, 2], A[5, 3], A[5, 4])
        if scales[index] == scales[-1] and longest < STANDSTILL:
            break


def refine(matches: Matrix, pose: Pose, focal: float, scales: Matrix, *, turning: bool = True) -> Pose:
    """`pose` after at most one joint step per entry of `scales` (standard deviations of the flow).

    Without `turning` the rotation is kept.
    """
    R, T = pose.R.copy(), pose.T.copy()
    descend(
        matches, R, T, TUNING * scales, *gates(matches, pose, focal), 5 if turning else 2, np.empty((6, 6))
    )
    return Pose(R, T)


def gates(matches: Matrix, pose: Pose, focal: float) -> tuple[float, float]:
    """Nearest distance to the epipole and largest parallax of a point that takes part: see `linearise`."""
    rho = np.abs(inverse_depth(matches, pose.R, pose.T)[0])
    return NEAREST / focal, min(0.5, 6.0 * median_of(rho))
