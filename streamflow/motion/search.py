"""Search for the direction of translation: for each candidate the best small rotation, in closed form.

Variable projection: with T fixed the constraint T.(q x b) + j.d = 0, j = b (T.q) - T (q.b), is linear in the
rotation correction d, so a direction costs one robust 3x3 least squares (Golub & Pereyra 1973; for egomotion
Jaegle, Phillips & Daniilidis 2016).
"""

import numpy as np

from streamflow.geometry.pose import Pose
from streamflow.geometry.rotation import axis_angle_between, cap, hemisphere, rotation_exp
from streamflow.kernels.jit import kernel
from streamflow.kernels.vec3 import cross, mapped
from streamflow.motion.epipolar import TUNING
from streamflow.motion.homography import STEADY, fit_rotation, transfer_errors
from streamflow.values import Matrix

DIRECTIONS = 150  # over the hemisphere: about 11 degrees apart
NEIGHBOURS, NEIGHBOURHOOD = 48, np.deg2rad(15.0)  # around a prior
APART = np.deg2rad(6.0)  # two modes nearer than this are one
ANNEALING = np.array([3.0, 1.5, 1.0, 0.7])  # standard deviations of the flow
# of the rotation residual's median: with parallax unaccounted for the residuals are far beyond the noise
ROTATION_ANNEALING = np.array([2.0, 1.0, 0.7, 0.5, 0.35, 0.35])


def start_rotation(matches: Matrix, start: Matrix, scale: float) -> Matrix:
    """The rotation (3, 3) that alone explains most of the flow."""
    typical = np.sqrt(np.median(transfer_errors(matches, start, STEADY, 0.0))) + scale
    return np.asarray(fit_rotation(matches, start, typical * ROTATION_ANNEALING))


def search_everywhere(matches: Matrix, R: Matrix, scale: float, count: int = 3) -> list[Pose]:
    """The `count` best motions, `APART` from one another, over all directions; R within a few degrees."""
    return _best(matches, R, hemisphere(DIRECTIONS), scale, count)


def search_near(matches: Matrix, prior: Pose, scale: float) -> Pose:
    """The best motion near a prior."""
    return _best(matches, prior.R, cap(prior.T, NEIGHBOURHOOD, NEIGHBOURS), scale, 1)[0]


def _best(matches: Matrix, R: Matrix, directions: Matrix, scale: float, count: int) -> list[Pose]:
    costs, corrections = score_directions(matches, R, directions, TUNING * scale * ANNEALING)
    chosen: list[int] = []
    for index in np.argsort(costs):
        if all(axis_angle_between(directions[index], directions[other]) > APART for other in chosen):
            chosen.append(int(index))
        if len(chosen) == count:
            break
    return [Pose(rotation_exp(corrections[i]) @ R, directions[i]) for i in chosen]


@kernel(fastmath=True)
def score_directions(matches, R, directions, scales):
    """Robust cost per point (M,) and rotation correction (M, 3) of each direction (M, 3).

    The correction is solved for at each of the annealed `scales` but the last, at which the cost is taken.
    """
    n, m = matches.shape[1], directions.shape[0]
    q = np.empty((3, n))
    for i in range(n):
        q[0, i], q[1, i], q[2, i] = mapped(R, matches[0, i], matches[1, i])
    costs = np.empty(m)
    corrections = np.empty((m, 3))
    for index in range(m):
        t1, t2, t3 = directions[index, 0], directions[index, 1], directions[index, 2]
        d1, d2, d3 = 0.0, 0.0, 0.0
        for step in range(scales.size):
            inverse = 1.0 / (scales[step] * scales[step])
            a11, a12, a13, a22, a23, a33 = 1e-9, 0.0, 0.0, 1e-9, 0.0, 1e-9
            g1, g2, g3, cost = 0.0, 0.0, 0.0, 0.0
            for i in range(n):
                q1, q2, q3 = q[0, i], q[1, i], q[2, i]
                b1, b2 = matches[2, i], matches[3, i]
                l1, l2, l3 = cross(t1, t2, t3, q1, q2, q3)
                variance = (
                    matches[4, i] * l1 * l1 + 2 * matches[5, i] * l1 * l2 + matches[6, i] * l2 * l2 + 1e-30
                )
                tq, qb = t1 * q1 + t2 * q2 + t3 * q3, q1 * b1 + q2 * b2 + q3
                j1, j2, j3 = b1 * tq - t1 * qb, b2 * tq - t2 * qb, tq - t3 * qb
                bare = l1 * b1 + l2 * b2 + l3
                e = bare + j1 * d1 + j2 * d2 + j3 * d3
                gm = 1.0 / (1.0 + e * e * inverse / variance)
                cost += 1.0 - gm
                w = gm * gm / variance
                a11 += w * j1 * j1
                a12 += w * j1 * j2
                a13 += w * j1 * j3
                a22 += w * j2 * j2
                a23 += w * j2 * j3
                a33 += w * j3 * j3
                g1 -= w * j1 * bare
                g2 -= w * j2 * bare
                g3 -= w * j3 * bare
            costs[index] = cost / n
            if step + 1 == scales.size:
                break
            c11, c12, c13 = a22 * a33 - a23 * a23, a13 * a23 - a12 * a33, a12 * a23 - a13 * a22
            c22, c23, c33 = a11 * a33 - a13 * a13, a12 * a13 - a11 * a23, a11 * a22 - a12 * a12
            determinant = a11 * c11 + a12 * c12 + a13 * c13 + 1e-30
            d1 = (c11 * g1 + c12 * g2 + c13 * g3) / determinant
            d2 = (c12 * g1 + c22 * g2 + c23 * g3) / determinant
            d3 = (c13 * g1 + c23 * g2 + c33 * g3) / determinant
        corrections[index, 0], corrections[index, 1], corrections[index, 2] = d1, d2, d3
    return costs, corrections
