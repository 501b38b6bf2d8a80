"""When each picture of a video is shown."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streamflow.values import Frame, FramePair, SourceInfo

NOMINAL_RATE = Fraction(25)
COMMON_TICKS = 23_040_000  # multiple of the usual clocks: 90000, 60000 (1001), 15360, 12800, 12288, 1000, 600
COARSE_TICKS = 90_000


class Clock:
    """The stream's own time, or the frame's index over the nominal rate where there is none.

    A clock that begins below zero is moved to zero, and so is that of a camera, which begins anywhere.
    """

    def __init__(self, info: SourceInfo) -> None:
        self.rate = (info.rate or NOMINAL_RATE).limit_denominator(100_000)
        self._live = info.live
        self._origin: Fraction | None = None

    def time(self, frame: Frame) -> Fraction:
        """Seconds."""
        time = self._own(frame)
        if self._origin is None:
            self._origin = time if self._live else min(time, Fraction(0))
        return time - self._origin

    @property
    def origin(self) -> Fraction:
        """The stream's own time that is zero here."""
        return self._origin or Fraction(0)

    def ticks(self, pair: FramePair) -> int:
        """Ticks a second that hold the stream's times exactly, as far as its first pair tells.

        A clock finer than `COMMON_TICKS`, such as one in nanoseconds, is rounded to `COARSE_TICKS`: the
        finer the ticks, the shorter the longest gap that mp4 can hold (2^31 ticks).
        """
        clocks = [self._own(frame).denominator for frame in (pair.reference, pair.target)]
        ticks = math.lcm(self.rate.numerator, *clocks)
        if COMMON_TICKS % ticks == 0:
            return COMMON_TICKS
        return ticks if ticks < COMMON_TICKS else COARSE_TICKS

    def _own(self, frame: Frame) -> Fraction:
        return frame.index / self.rate if frame.time is None else frame.time
