"""Where each decoded frame stands in its stream, when it was taken, and what is missing before it."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from fractions import Fraction

REORDER = 32  # frames; decoders hold back at most 16, or one group of pictures' worth of fields

STEADY = 8  # equal intervals after which a rate counts as constant
JITTER = Fraction(1, 400)  # seconds; some containers round to milliseconds
LEAP = 4  # intervals


@dataclass(frozen=True)
class FramePosition:
    """The position of one frame in its stream."""

    index: int
    time: Fraction | None
    lost: int = 0  # frames missing just before it
    gap: str = ""  # why it does not follow the one before it, if it does not
    damaged: bool = False  # in part, or what it was predicted from


class Timeline:
    """Compares the frames that were promised (packets) with those that came.

    After damage, promised frames that never came and leaps in time are losses. Without damage they are
    the stream's own affair: some codecs send packets that are never shown, and frame rates vary. Only a
    leap out of a steady rate is marked as a gap then: a piece was cut out, or the camera was stopped.

    Parameters
    ----------
    sorted_times : bool
        The container stores no presentation times (AVI): the n-th frame shown has the n-th time.
    grid : tuple of Fraction, optional
        (interval, tick): times are rounded to ticks that are coarse beside the nominal interval, so they
        are taken back to the nominal times as long as these are a tick away at most.
    """

    def __init__(self, sorted_times: bool = False, grid: tuple[Fraction, Fraction] | None = None) -> None:
        self.packets = 0
        self._sorted_times = sorted_times
        self._grid = grid
        self._placed: Fraction | None = None  # time that was given out last
        self._promised: list[Fraction] = []
        self._next = 0
        self._last: Fraction | None = None  # on the stream's own clock
        self._step: Fraction | None = None  # between the last two frames that followed each other
        self._steady = 0  # intervals in a row that were alike
        self._shift = Fraction(0)  # keeps time from going back when the stream's clock does
        self._wary = 0  # frames for which damage explains what is missing
        self._torn = 0  # the same for damage that may have swallowed whole packets
        self._ever_torn = False

    def promise(self, time: Fraction | None) -> None:
        """A packet was read; its frame is due at `time`."""
        self.packets += 1
        overdue = self._last is not None and time is not None and time < self._last  # the clock goes back
        if time is not None and not overdue:
            heapq.heappush(self._promised, time)

    def damage(self, torn: bool) -> None:
        """Something was damaged here; `torn` if packets may have been lost before they could be read."""
        self._wary = REORDER
        if torn:
            self._torn = REORDER
            self._ever_torn = True

    def place(self, time: Fraction | None) -> FramePosition:
        """Find the position of the next frame that came."""
        if self._sorted_times and self._promised:
            time = heapq.heappop(self._promised)
        if self._slips_back(time):
            time = None
        lost = self._lost_before(time) if time is not None else 0
        gap = self._follow(time) if time is not None else ""
        if lost:
            gap = f"{lost} frame{'s are' if lost > 1 else ' is'} missing before it"
        index = self._next + lost
        self._next = index + 1
        self._wary, self._torn = max(0, self._wary - 1), max(0, self._torn - 1)
        if time is not None:
            self._placed = self._on_grid(time + self._shift)
        return FramePosition(index, None if time is None else self._placed, lost, gap)

    def _on_grid(self, time: Fraction) -> Fraction:
        if self._grid is None or self._placed is None:
            return time
        interval, tick = self._grid
        expected = self._placed + interval
        return expected if abs(expected - time) <= tick else time

    def _slips_back(self, time: Fraction | None) -> bool:
        """Whether the clock goes back so little that the frames follow one another all the same."""
        if time is None or self._last is None or self._step is None:
            return False
        return 0 < self._last - time <= LEAP * self._step

    def missing_at_end(self, promised: int | None, end: Fraction | None) -> int:
        """How many frames never came after the last.

        Parameters
        ----------
        promised : int, optional
            Packets the container says it has.
        end : Fraction, optional
            When the container says the stream ends, on the stream's own clock.
        """
        undecoded = len(self._promised) if self._wary else 0
        unread = max(0, promised - self.packets) if promised is not None else 0
        if promised is None and self._ever_torn and end is not None:
            unread = max(0, self._frames_between(self._last, end) - undecoded)
        return undecoded + unread

    def _lost_before(self, time: Fraction) -> int:
        absent = 0
        while self._promised and self._promised[0] <= time:
            absent += heapq.heappop(self._promised) < time
        if self._wary and absent:
            return absent
        return self._frames_between(self._last, time) if self._torn else 0

    def _frames_between(self, first: Fraction | None, second: Fraction) -> int:
        """Frames that fit strictly between two times at the present rate."""
        if first is None or not self._step:
            return 0
        return max(0, round((second - first) / self._step) - 1)

    def _follow(self, time: Fraction) -> str:
        """Move the clock on to `time`; what is odd about that."""
        last, self._last = self._last, time
        if last is None:
            return ""
        interval = time - last
        if interval < 0:
            self._shift += (self._step or 0) - interval
            return "the stream's clock goes back"
        if self._step and self._steady >= STEADY and interval > LEAP * self._step:
            self._steady = 0
            return f"the stream's clock leaps by {float(interval):.2f} s"
        if interval:
            self._steady = self._steady + 1 if abs(interval - (self._step or 0)) < JITTER else 0
            self._step = interval
        return ""
