"""Pictures deeper than 8 bits: which values become black and white."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamflow.values import Health, Image

PERCENTILES = (0.1, 99.9)  # of a sample: single pixels of a sensor are hot or dead
HEADROOM = 0.05  # of the range between them, on both sides: other pictures go beyond the sample
PIXELS = 50_000  # of each picture of the sample


@dataclass(frozen=True)
class Levels:
    """The values that become 0 and 255, one pair for a whole stream, so that brightness does not jump."""

    black: float
    white: float

    def to_8_bits(self, pixels: NDArray[Any]) -> Image:
        """Map `pixels` linearly; beyond the levels they are black and white, where there is none black."""
        scaled = (pixels.astype(np.float32) - self.black) * (255 / (self.white - self.black))
        return np.asarray(np.rint(np.clip(np.nan_to_num(scaled, nan=0.0), 0, 255)), np.uint8)

    def __str__(self) -> str:
        return f"{self.black:g}:{self.white:g}"


class EightBits:
    """Makes (H, W, 3) uint8 of the pictures of a stream, those that are deeper by levels that hold for all.

    Parameters
    ----------
    health : Health
        Told which levels these are.
    levels : Levels, optional
        Given by the user.
    sample : callable
        Pictures of the stream from which to find levels, where none are given.
    """

    def __init__(
        self, health: Health, levels: Levels | None, sample: Callable[[], Iterable[NDArray[Any]]]
    ) -> None:
        self._health, self._levels, self._sample = health, levels, sample
        self.deep = False  # whether a picture was

    def __call__(self, pixels: NDArray[Any]) -> Image:
        """Map a picture (H, W) or (H, W, 3)."""
        if pixels.dtype != np.uint8:
            self.deep = True
            self._levels = self._levels or levels_of([pixels, *self._sample()])
            self._health.note(f"{pixels.dtype} pictures, {self._levels} shown as black to white (see levels)")
            pixels = self._levels.to_8_bits(pixels)
        if pixels.ndim == 2:
            pixels = np.repeat(pixels[..., None], 3, axis=2)
        return np.require(pixels, np.uint8, ["C", "W"])  # bytes of a message are not to be written to


def levels_of(sample: Iterable[NDArray[Any]]) -> Levels:
    """Levels between which nearly all values of a sample of pictures lie."""
    values = np.concatenate([_thinned(pixels) for pixels in sample])
    if not values.size:
        return Levels(0, 1)
    low, high = np.percentile(values, PERCENTILES)
    margin = HEADROOM * (high - low) or 1
    return Levels(float(low - margin), float(high + margin))


def _thinned(pixels: NDArray[Any]) -> NDArray[np.float64]:
    """About `PIXELS` of the known values, spread over the picture."""
    step = max(1, int((pixels.size / PIXELS) ** 0.5))
    values = pixels[::step, ::step].astype(np.float64).ravel()
    return values[np.isfinite(values)]
