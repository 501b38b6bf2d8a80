"""Which model the evidence of a pair of views calls for: still, turning, a plane, or a camera that moves."""

import numpy as np

from streamflow.values import Evidence, Matrix, Status

MODELS = (Status.STATIC, Status.ROTATION, Status.PLANAR, Status.MOVING)
# Nats a match by which a simpler model may lose to one with parallax and is still believed: a richer model
# fits the errors that neighbours share, and what moves by itself before a camera at rest looks like parallax.
STILL_ADVANTAGE, ROTATION_ADVANTAGE = 0.9, 0.4
# A plane alone is seldom all there is to see: it has to be far better than a rotation, for what moves by
# itself in front of a turning camera is explained by a homography's other entries.
PLANE_HANDICAP = 1.0
LEAST_RELIEF = 0.2  # nats a match by which depth has to be better than a plane


def scores(evidence: Evidence) -> Matrix:
    """How much speaks for each of `MODELS`, (4,), nats a match."""
    parallax = max(evidence.moving, evidence.planar - PLANE_HANDICAP)
    relief = evidence.relief - LEAST_RELIEF
    return np.array(
        [
            evidence.static + STILL_ADVANTAGE,
            evidence.rotation + ROTATION_ADVANTAGE,
            parallax - max(relief, 0.0),
            parallax + min(relief, 0.0),
        ]
    )


def likeliest(evidence: Evidence) -> Status:
    """The model that one pair by itself calls for."""
    return MODELS[int(scores(evidence).argmax())]
