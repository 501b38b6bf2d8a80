"""A camera that does not turn: RANSAC for the direction of translation."""

import numpy as np

from streamflow.motion.epipolar import TUNING
from streamflow.motion.refine import Pose, refine
from streamflow.motion.sphere import unit
from streamflow.values import Matrix

HYPOTHESES, VOTERS = 200, 300
POLISH = np.array([2.0, 1.0, 1.0, 1.0, 1.0])


def find_translation(rays: Matrix, focal: float, rng: np.random.Generator) -> Pose:
    """Direction of translation (either sign) of a camera without rotation, from calibrated points (7, N).

    Two points fix T, perpendicular to both normals n = a x b. All hypotheses are drawn and judged in one batch
    by the whitened distance of `VOTERS` points from their lines; the best is refined on all points.
    """
    ones = np.ones(rays.shape[1])
    a, b = np.stack([rays[0], rays[1], ones]), np.stack([rays[2], rays[3], ones])
    pick = rng.integers(rays.shape[1], size=(2, HYPOTHESES))
    normals = np.cross(a, b, axis=0)
    candidates = np.cross(normals[:, pick[0]], normals[:, pick[1]], axis=0).T
    candidates = unit(candidates[np.linalg.norm(candidates, axis=1) > 0])
    voters = rng.permutation(rays.shape[1])[:VOTERS]
    best = candidates[_misfit(candidates, normals[:, voters], a[:, voters], rays[4:, voters]).argmin()]
    return refine(rays, Pose(np.eye(3), best), focal, POLISH, turning=False)


def _misfit(T: Matrix, normals: Matrix, a: Matrix, S: Matrix) -> Matrix:
    """Mean Geman-McClure cost (M,) of each direction (M, 3)."""
    l1 = np.outer(T[:, 1], a[2]) - np.outer(T[:, 2], a[1])
    l2 = np.outer(T[:, 2], a[0]) - np.outer(T[:, 0], a[2])
    variance = S[0] * l1 * l1 + 2 * S[1] * l1 * l2 + S[2] * l2 * l2 + 1e-30
    r2 = (T @ normals) ** 2 / variance / TUNING**2
    return np.asarray((r2 / (1 + r2)).mean(axis=1))
