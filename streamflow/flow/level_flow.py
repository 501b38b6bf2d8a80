"""A flow under way at one level, and what can be done to it."""

import numpy as np

from streamflow.flow.lucas_kanade import lucas_kanade_step
from streamflow.flow.pyramid import DAMPING, Level
from streamflow.flow.refine import refine
from streamflow.flow.smoothing import confidence_weighted_mean

_OUTSIDE_MISFIT = 30.0


class Estimate:
    """A flow at one level, the misfit of each pixel's window."""

    def __init__(self, height: int, width: int) -> None:
        self.flow = np.zeros((2, height, width), np.float32)
        self.residual = np.zeros((height, width), np.float32)

    def iterate(
        self, reference: Level, target: Level, damping: float = DAMPING, *, keep_slope: bool = False
    ) -> None:
        """One Lucas-Kanade iteration; `keep_slope`: a window adds to the flow its pixels have."""
        lucas_kanade_step(
            reference.image,
            reference.inverse,
            target.neighbours.reshape(-1),
            self.flow,
            self.residual,
            _OUTSIDE_MISFIT,
            damping,
            0.0 if keep_slope else 1.0,
        )

    def refine(self, reference: Level, target: Level, penalty: float, *, keep_slope: bool = False) -> None:
        """One Lucas-Kanade iteration; then the flow of a window beside where that fits better; smoothing."""
        refine(
            reference.image,
            reference.inverse,
            reference.smallest_eigenvalue,
            target.neighbours.reshape(-1),
            self.flow,
            self.residual,
            _OUTSIDE_MISFIT,
            DAMPING,
            0.0 if keep_slope else 1.0,
            penalty,
        )

    def smooth(self, reference: Level) -> None:
        """Replace the flow by its confidence-weighted mean."""
        confidence_weighted_mean(self.flow, self.residual, reference.smallest_eigenvalue)
