"""A flow under way at one level, and what can be done to it."""

import numpy as np

from streamflow.flow.lucas_kanade import lucas_kanade_step
from streamflow.flow.pyramid import DAMPING, Level
from streamflow.flow.refine import refine
from streamflow.flow.smoothing import confidence_weighted_mean

_OUTSIDE_SSD = 30.0


class LevelFlow:
    """A flow at one level, and the sum of squared differences (ssd) of each pixel's window."""

    def __init__(self, height: int, width: int) -> None:
        self.flow = np.zeros((2, height, width), np.float32)
        self.ssd = np.zeros((height, width), np.float32)

    def iterate(self, reference: Level, target: Level, *, translate_window: bool = True) -> None:
        """One Lucas-Kanade iteration; without `translate_window` windows add to the flow of their pixels."""
        lucas_kanade_step(
            reference.image,
            reference.inverse,
            target.neighbours.reshape(-1),
            self.flow,
            self.ssd,
            _OUTSIDE_SSD,
            DAMPING,
            float(translate_window),
        )

    def refine(
        self, reference: Level, target: Level, penalty: float, *, translate_window: bool = True
    ) -> None:
        """One Lucas-Kanade iteration; then the flow of a window beside where that fits better; smoothing."""
        refine(
            reference.image,
            reference.inverse,
            reference.smallest_eigenvalue,
            target.neighbours.reshape(-1),
            self.flow,
            self.ssd,
            _OUTSIDE_SSD,
            DAMPING,
            float(translate_window),
            penalty,
        )

    def smooth(self, reference: Level) -> None:
        """Replace the flow by its confidence-weighted mean."""
        confidence_weighted_mean(self.flow, self.ssd, reference.smallest_eigenvalue)
