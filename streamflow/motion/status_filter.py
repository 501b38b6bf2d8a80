"""The status over time: a hidden Markov model of what the camera does, over the evidence of every pair.

A camera goes on as it did: a status changes when the evidence does, at once where one pair is enough, after a
few where each says little (Rabiner 1989, A tutorial on hidden Markov models, the forward algorithm).
"""

import numpy as np

from streamflow.motion.likelihood import INDEPENDENT
from streamflow.motion.selection import MODELS, scores
from streamflow.values import Evidence, Matrix, Status

STAYS = 0.95  # probability that the next pair has the status of the last


class StatusFilter:
    """Remembers how probable each status is."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the past: every status is as probable as any other."""
        self._probability: Matrix = np.full(len(MODELS), 1.0 / len(MODELS))

    def __call__(self, evidence: Evidence) -> Status:
        """Take the evidence of the newest pair in; the most probable status."""
        score = scores(evidence)
        leaves = (1.0 - STAYS) / (len(MODELS) - 1)
        predicted = leaves + (STAYS - leaves) * self._probability
        posterior = predicted * np.exp(INDEPENDENT * (score - score.max()))
        self._probability = posterior / posterior.sum()
        return MODELS[int(self._probability.argmax())]
