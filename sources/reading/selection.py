"""Part of a stream: from one time to another, every so many frames."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import chain, islice
from math import ceil
from typing import Protocol, runtime_checkable

from sources import Source
from sources.options import SourceOptions
from streamflow.errors import SourceError, UsageError
from streamflow.values import Frame, Health, SourceInfo


@runtime_checkable
class Seekable(Protocol):
    """A source that can leave frames out without reading them."""

    def seek(self, time: Fraction) -> bool:
        """Go on with the frame that is shown at `time` on the stream's clock, or one before it, if it can."""


class Selection:
    """The frames of `source` that were asked for, counted from 0.

    What goes wrong before the first of them is not told: nobody asked for it. `earlier` is what happened
    before the source was opened, if its health is shared with others.
    """

    def __init__(self, source: Source, options: SourceOptions, earlier: Health | None = None) -> None:
        self._source, self._options = source, options
        self._earlier = earlier or Health()
        self.health = source.health
        self.info = shortened(source.info, options)

    def __iter__(self) -> Iterator[Frame]:
        return islice(self._every(self._between()), self._options.frames)

    def close(self) -> None:
        """Release the source."""
        self._source.close()

    def _between(self) -> Iterator[Frame]:
        """Frames from `start` to `end`."""
        frames = iter(self._source)
        first = next(frames, None)
        if first is None:
            return
        start, end = (self._on_clock(time, first) for time in (self._options.start, self._options.end))
        frames = chain([first], frames)
        if start is not None:
            frames = self._from(start, frames)
        for frame in frames:
            if end is not None and frame.time is not None and frame.time >= end:
                return
            yield frame

    def _from(self, start: Fraction, frames: Iterator[Frame]) -> Iterator[Frame]:
        notes = self.health.notes if self.health.whole else self._earlier.notes
        earlier = replace(self._earlier, decoded=self._earlier.decoded + 1, notes=[*notes])
        if isinstance(self._source, Seekable) and self._source.seek(start):
            frames = iter(self._source)
        for frame in frames:
            if frame.time is not None and frame.time >= start:
                self.health.restore(earlier)
                yield replace(frame, gap=None)
                yield from frames
                return
        raise SourceError(f"{self.info.name}: ends before {float(self._options.start or 0):g} s")

    def _on_clock(self, time: Fraction | None, first: Frame) -> Fraction | None:
        if time is None:
            return None
        if first.time is None:
            raise UsageError(f"{self.info.name}: has no clock for start and end to count on; give fps")
        return first.time + time

    def _every(self, frames: Iterator[Frame]) -> Iterator[Frame]:
        """One frame of `every`; a gap in what is left out is a gap before the next."""
        first, last, gap = None, -1, None
        for frame in frames:
            first = frame.index if first is None else first
            index = (frame.index - first) // self._options.every
            gap = gap or frame.gap
            if index > last:
                truth = frame.truth
                if truth is not None and self._options.every > 1:
                    truth = replace(truth, flow=None)  # it leads to a frame that is left out
                yield replace(frame, index=index, gap=gap, truth=truth)
                last, gap = index, None


def shortened(info: SourceInfo, options: SourceOptions) -> SourceInfo:
    """What is known of the part that `options` ask for."""
    length, rate = info.length, info.rate
    if rate and (options.start is not None or options.end is not None):
        whole = None if length is None else length / rate
        ends = [time for time in (options.end, whole) if time is not None]
        length = ceil(max(Fraction(0), min(ends) - (options.start or 0)) * rate) if ends else None
    if length is not None:
        length = ceil(length / options.every)
    if options.frames is not None:
        length = min(options.frames, options.frames if length is None else length)
    return replace(info, length=length, rate=rate and rate / options.every)
