"""How far damage reaches: a decoder builds a frame on others, and says nothing when those were damaged."""

from __future__ import annotations

from collections import deque
from fractions import Fraction
from itertools import islice

from sources.reading.timeline import REORDER


class ErrorPropagation:
    """Which frames cannot be trusted: in decoding order, from a damaged one up to the next key frame.

    Frames that are decoded after that key frame but shown before it may be built on both sides.
    """

    def __init__(self) -> None:
        self._group: deque[Fraction | None] = deque(maxlen=REORDER)  # sent to the decoder since a key frame
        self._reached: deque[Fraction | None] = deque(maxlen=2 * REORDER)
        self._broken = False  # what is decoded now builds on something damaged or lost
        self._healed: Fraction | None = None  # time of the key frame that ended that

    def packet(self, time: Fraction | None, key: bool) -> None:
        """Note a packet that goes to the decoder next; its frame is due at `time`."""
        if key:
            self._group.clear()
            self._healed = time if self._broken else None
            self._broken = False
        self._group.append(time)
        leading = self._healed is not None and time is not None and time < self._healed
        if self._broken or leading:
            self._reached.append(time)
        elif time in self._reached:  # the clock went back: that was another frame
            self._reached.remove(time)

    def damage(self, time: Fraction | None) -> None:
        """Note that the frame of `time` is damaged; None: something before the packet to come."""
        if time is None:
            self._broken = True
        elif time in self._group:
            self._broken = True
            followers = islice(self._group, self._group.index(time), None)
            self._reached.extend([other for other in followers if other not in self._reached])
        elif time not in self._reached:  # the decoder gave it late: a key frame has ended its harm
            self._reached.append(time)

    def reaches(self, time: Fraction | None) -> bool:
        """Whether the frame of `time` is damaged, or built on one that is."""
        return self._broken if time is None else time in self._reached
