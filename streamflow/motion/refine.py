"""Joint refinement of rotation and translation: reweighted Fisher scoring on the epipolar residuals."""

from math import sqrt

import numpy as np

from streamflow.geometry.pose import Pose
from streamflow.kernels.jit import kernel
from streamflow.kernels.least_squares import solve_step
from streamflow.kernels.so3 import tangent_basis, turn
from streamflow.motion.epipolar import NEAREST, TUNING, inverse_depth, linearise, residuals
from streamflow.values import Matrix

NORMAL_QUANTILE = 0.4538  # .35 quantile of |x|, x a unit normal
TRUNCATION, TRUNCATED_DEVIATION = 2.5, 0.9546  # standard deviation of a unit normal cut at 2.5
BEHIND = 3.0  # standard deviations behind the camera: no noise, a point that moves by itself
STANDSTILL = 1e-5  # radians


@kernel(fastmath=True)
def descend(rays, R, T, scales, nearest, farthest, free, A):
    """Joint steps T <- T + B tau, R <- exp(omega) R, one per annealed scale, fewer once they stand still.

    In place; A (6, 6) is room to work. Only the first `free` of the five parameters move: all of them, or
    the two of the translation.
    """
    for index in range(scales.size):
        B = tangent_basis(T)
        linearise(rays, 0, rays.shape[1], R, T, B, scales[index], nearest, farthest, A)
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


def refine(rays: Matrix, pose: Pose, focal: float, scales: Matrix, *, turning: bool = True) -> Pose:
    """`pose` after at most one joint step per entry of `scales` (standard deviations of the flow).

    Without `turning` the rotation is kept.
    """
    R, T = pose.R.copy(), pose.T.copy()
    descend(rays, R, T, TUNING * scales, *gates(rays, pose, focal), 5 if turning else 2, np.empty((6, 6)))
    return Pose(R, T)


def gates(rays: Matrix, pose: Pose, focal: float) -> tuple[float, float]:
    """Nearest distance to the epipole and largest parallax of a point that takes part: see `linearise`."""
    rho, middle = np.abs(inverse_depth(rays, pose.R, pose.T)[0]), rays.shape[1] // 2
    return NEAREST / focal, min(0.5, 6.0 * float(np.partition(rho, middle)[middle]))


def cost_of(rays: Matrix, pose: Pose, scale: float) -> float:
    """Mean Geman-McClure cost over all points, between 0 and 1; a point behind the camera costs 1."""
    r2 = (residuals(rays, pose.R, pose.T) / (TUNING * scale)) ** 2
    front = facing(rays, pose, scale)
    behind = front * np.sign(front.sum()) < -BEHIND
    return float(np.mean(np.where(behind, 1.0, r2 / (1.0 + r2))))


def facing(rays: Matrix, pose: Pose, scale: float) -> Matrix:
    """Inverse depth (N,) in its standard deviations: positive in front of the camera."""
    rho, variance = inverse_depth(rays, pose.R, pose.T)
    return np.asarray(rho / (scale * np.sqrt(variance)))


def beyond(front: Matrix) -> Matrix:
    """How far beyond infinity points are, (N,), in the standard deviations of `facing`: 0 in front.

    A scene is in front of the camera: where flow puts a point behind it the nearest it can be is at infinity,
    and so far the flow is off.
    """
    middle = front.size // 2
    side = np.sign(np.partition(front, middle)[middle])
    return np.asarray(np.maximum(-side * front, 0.0))


def noise_scale(r: Matrix) -> float:
    """Robust scale of whitened residuals (N,): 1 when the predicted errors are right.

    From the lower third, which outliers hardly move, to the standard deviation of what lies within
    `TRUNCATION`.
    """
    third = int(0.35 * (r.size - 1))
    return float(_truncated_deviation(r, np.partition(np.abs(r), third)[third] / NORMAL_QUANTILE))


@kernel()
def _truncated_deviation(r, scale):
    for _ in range(4):
        squares, count = 0.0, 0
        for value in r:
            if abs(value) < TRUNCATION * scale:
                squares += value * value
                count += 1
        if count:
            scale = sqrt(squares / count) / TRUNCATED_DEVIATION
    return scale
