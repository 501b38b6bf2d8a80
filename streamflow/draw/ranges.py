"""Colour ranges that follow the scene slowly, so that the picture does not flicker."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from streamflow.values import Map

PERCENTILES = (2, 98)
RATE = 0.08  # share of the way towards this frame's percentiles
SAMPLES = 20_000  # pixels that are enough for a percentile


@dataclass
class AdaptiveRange:
    """Low and high end of a colour range; a fixed one never moves."""

    fixed: tuple[float, float] | None = None
    _current: tuple[float, float] | None = None

    def update(self, values: Map) -> tuple[float, float]:
        """Take one map in and return the range to draw it with, in its unit."""
        if self.fixed is not None:
            return self.fixed
        step = max(1, int((values.size / SAMPLES) ** 0.5))
        known = values[::step, ::step]
        known = known[np.isfinite(known)]
        if known.size:
            low, high = np.percentile(known, PERCENTILES)
            if self._current is not None:
                low = self._current[0] + RATE * (low - self._current[0])
                high = self._current[1] + RATE * (high - self._current[1])
            self._current = float(low), float(high)
        return self._current or (0.0, 1.0)


@dataclass
class Ranges:
    """The ranges of the quantities that a run draws, by name."""

    _ranges: dict[str, AdaptiveRange] = field(default_factory=dict)

    def update(self, name: str, values: Map, fixed: tuple[float, float] | None = None) -> tuple[float, float]:
        """Take one map of a quantity in and return the range to draw it with, in its unit."""
        return self._ranges.setdefault(name, AdaptiveRange(fixed)).update(values)

    def clear(self) -> None:
        """Forget the scene."""
        self._ranges.clear()


def inverse_limits(limits: tuple[float, float] | None) -> tuple[float, float] | None:
    """Range of inverse depth from (near, far)."""
    return limits and (1 / limits[1], 1 / limits[0])
