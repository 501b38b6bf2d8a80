"""A flow under way at one level, and what can be done to it."""

import numpy as np

from streamflow.flow.lucas_kanade import lucas_kanade_step
from streamflow.flow.pyramid import DAMPING, Level
from streamflow.flow.smoothing import confidence_weighted_mean
from streamflow.flow.window_shift import shift_windows

_OUTSIDE_MISFIT = 30.0


class Estimate:
    """A flow at one level, the misfit of each pixel's window, and buffers to write the next one into."""

    def __init__(self, height: int, width: int) -> None:
        self.flow = np.zeros((2, height, width), np.float32)
        self.residual = np.zeros((height, width), np.float32)
        self._next_flow = np.zeros_like(self.flow)
        self._next_residual = np.zeros_like(self.residual)

    def iterate(self, reference: Level, target: Level, damping: float = DAMPING) -> None:
        """One Lucas-Kanade iteration."""
        lucas_kanade_step(
            reference.image,
            reference.gradient,
            reference.inverse,
            target.neighbours.reshape(-1),
            self.flow,
            self._next_flow,
            self.residual,
            _OUTSIDE_MISFIT,
            damping,
        )
        self._swap()

    def shift(self, penalty: float) -> None:
        """Take the flow of a window beside where that fits better."""
        shift_windows(self.flow, self.residual, penalty, self._next_flow, self._next_residual)

    def smooth(self, reference: Level) -> None:
        """Replace the flow by its confidence-weighted mean."""
        confidence_weighted_mean(self.flow, self.residual, reference.smallest_eigenvalue, self._next_flow)
        self._swap()

    def _swap(self) -> None:
        self.flow, self._next_flow = self._next_flow, self.flow
