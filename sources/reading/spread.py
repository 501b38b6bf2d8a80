"""A time of its own for every frame, where the stream's own times repeat, are missing or go back a little."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from streamflow.values import Frame, Health

NOMINAL_RATE = Fraction(25)  # frames a second, of a stream that does not tell its own
HELD = 16  # frames that wait for a later time at most; they are held in memory

NOTE = "some frames have no time of their own; they are spread evenly between those that have"


def spread(frames: Iterator[Frame], rate: Fraction | None, health: Health) -> Iterator[Frame]:
    """Yield `frames` with times that rise from each to the next; reads one frame ahead.

    Frames that are not later than the one before them share the time up to the next that is: webcams stamp
    alike what arrives together, and some containers round more coarsely than their frames follow.

    Parameters
    ----------
    frames : iterator of Frame
        In order.
    rate : Fraction, optional
        Frames a second, where no later frame tells.
    health : Health
        Told when times had to be made up.
    """
    step = 1 / (rate or NOMINAL_RATE)
    last: Fraction | None = None
    for group, following in _groups(frames):
        first = group[0].time
        if first is None or (last is not None and first <= last):
            first = Fraction(0) if last is None else last + step
        share = step
        if following is not None and following > first:
            share = (following - first) / len(group)
        if len(group) > 1 or first != group[0].time:
            health.note(NOTE)
        for i, frame in enumerate(group):
            last = first + i * share
            yield replace(frame, time=last)


def _groups(frames: Iterator[Frame]) -> Iterator[tuple[list[Frame], Fraction | None]]:
    """Frames of one time, and the time of the frame that follows on them, if one does."""
    group: list[Frame] = []
    for frame in frames:
        later = bool(group) and _is_later(frame, group[0])
        if group and (later or frame.gap or len(group) == HELD):
            yield group, frame.time if later and not frame.gap else None
            group = []
        group.append(frame)
    if group:
        yield group, None


def _is_later(frame: Frame, before: Frame) -> bool:
    return frame.time is not None and (before.time is None or frame.time > before.time)
