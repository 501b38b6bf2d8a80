"""Joint refinement of rotation and translation: reweighted Fisher scoring on the epipolar residuals."""

from typing import NamedTuple

import numpy as np

from streamflow.compiler import kernel
from streamflow.motion.cholesky import solve_positive
from streamflow.motion.epipolar import NEAREST, TUNING, inverse_depth, linearise, parallax, residuals
from streamflow.motion.sphere import rotation_exp, tangent_basis
from streamflow.values import Matrix

NORMAL_QUANTILE = 0.4538  # .35 quantile of |x|, x a unit normal
TRUNCATION, TRUNCATED_DEVIATION = 2.5, 0.9546  # standard deviation of a unit normal cut at 2.5
BEHIND = 3.0  # standard deviations behind the camera: no noise, a point that moves by itself
DAMPING = 1e-12
LONGEST_STEP, STANDSTILL = 0.2, 1e-5  # radians


class Pose(NamedTuple):
    """A motion under refinement: q = R a, and T a unit vector of either sign."""

    R: Matrix  # (3, 3)
    T: Matrix  # (3,)


@kernel()
def iterate(rays, R, T, scales, nearest, farthest, free):
    """Joint steps T <- T + B tau, R <- exp(omega) R, one per annealed scale, fewer once they stand still.

    Only the first `free` of the five parameters move: all of them, or the two of the translation.
    """
    rows = np.empty((11, rays.shape[1]))
    step = np.zeros(5)
    for scale in scales:
        B = tangent_basis(T)
        linearise(rays, R, T, B, scale, nearest, farthest, rows)
        gradient = np.array([rows[5 + k].sum() for k in range(free)])
        H = rows[:free] @ rows[:free].T
        damping = DAMPING * np.trace(H) + DAMPING  # keeps it solvable where too few points have weight
        step[:free] = -solve_positive(H + damping * np.eye(free), gradient)
        longest = np.abs(step).max()
        step *= min(1.0, LONGEST_STEP / max(longest, 1e-12))
        T = T + B @ step[:2]
        T = T / np.sqrt((T * T).sum())
        R = rotation_exp(step[2:]) @ R
        if scale == scales[-1] and longest < STANDSTILL:
            break
    return R, T


def refine(rays: Matrix, pose: Pose, focal: float, scales: Matrix, *, turning: bool = True) -> Pose:
    """`pose` after at most one joint step per entry of `scales` (standard deviations of the flow).

    Without `turning` the rotation is kept.
    """
    free = 5 if turning else 2
    return Pose(*iterate(rays, pose.R, pose.T, TUNING * scales, *gates(rays, pose, focal), free))


def gates(rays: Matrix, pose: Pose, focal: float) -> tuple[float, float]:
    """Nearest distance to the epipole and largest parallax of a point that takes part: see `linearise`."""
    nearest = NEAREST / focal
    ratio = parallax(rays, pose.R, pose.T, nearest)
    return nearest, min(0.5, 6.0 * float(np.median(ratio))) if ratio.size else 0.0


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
            scale = np.sqrt(squares / count) / TRUNCATED_DEVIATION
    return scale
