"""A camera that does not turn: RANSAC for the direction of translation."""

import numpy as np

from streamflow.geometry.pose import Pose
from streamflow.geometry.rotation import unit
from streamflow.motion.epipolar import TUNING
from streamflow.motion.refine import refine
from streamflow.motion.search import score_directions
from streamflow.values import Matrix

HYPOTHESES, VOTERS = 120, 200
POLISH = np.array([1.5, 1.0, 1.0, 1.0])


def find_translation(matches: Matrix, focal: float, rng: np.random.Generator) -> Pose:
    """Direction of translation (either sign) of a camera without rotation, from calibrated points (7, N).

    Two points fix T, perpendicular to both normals n = a x b. All hypotheses are drawn and judged at once
    by the whitened distance of `VOTERS` points from their lines; the best is refined on all points.
    """
    a1, a2, b1, b2 = matches[:4, rng.integers(matches.shape[1], size=(2, HYPOTHESES))]
    x, y, z = a2 - b2, b1 - a1, a1 * b2 - a2 * b1  # normals, (2, HYPOTHESES); np.cross is four times slower
    candidates = np.stack(
        [y[0] * z[1] - z[0] * y[1], z[0] * x[1] - x[0] * z[1], x[0] * y[1] - y[0] * x[1]], axis=1
    )
    candidates = unit(candidates[candidates.any(axis=1)])
    voters = matches.take(rng.integers(matches.shape[1], size=VOTERS), axis=1)
    costs, _ = score_directions(voters, np.eye(3), candidates, np.array([TUNING]))
    best = candidates[costs.argmin()]
    return refine(matches, Pose(np.eye(3), best), focal, POLISH, turning=False)
