"""The sliding two-frame buffer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Literal

from streamflow.cuts import CutDetector
from streamflow.repeats import RepeatDetector
from streamflow.values import Frame, FramePair, Health


def frame_pairs(
    frames: Iterable[Frame],
    reference: Literal["newest", "previous"] = "newest",
    health: Health | None = None,
) -> Iterator[FramePair]:
    """Yield each frame with the one before it, as soon as it arrives.

    Two frames are held, however long the stream. A frame with a `gap`, of another size, or of another scene
    begins a segment: it makes no pair with the one before it, and the next pair says so in `starts_segment`.
    So does the first pair of whole frames after damaged ones: what these left in the memory of the stages is
    not to be trusted.
    A frame that shows the last picture again makes no pair either: the last pair comes again, with that frame
    as its `repeat`, and the next one lies as far apart as the different pictures do. At the start of a
    segment, where there is no last pair, it makes one: the scene stands still.

    Parameters
    ----------
    frames : iterable of Frame
        Read one by one, never ahead.
    reference : {"newest", "previous"}
        The frame of a pair that vectors begin at.
    health : Health, optional
        Where cuts and repeats are counted.
    """
    health = health or Health()
    repeats, cuts = RepeatDetector(), CutDetector()
    previous: Frame | None = None
    pair: FramePair | None = None
    after_damage = False
    starts: str | None = "start"
    for frame in frames:
        broken = None if previous is None else _break(previous, frame)
        again = previous is not None and not broken and repeats(previous, frame)
        if again and pair is not None:
            health.repeats += 1
            yield replace(pair, repeat=frame)
            continue
        if not again and cuts(frame) and not broken:
            health.cuts += 1
            broken = "cut"
        if previous is None or broken:
            starts, pair, previous = broken or starts, None, frame
            repeats.reset()
            continue
        pair = FramePair(*((frame, previous) if reference == "newest" else (previous, frame)))
        if after_damage and not pair.damaged:
            starts = starts or "after damage"
        yield replace(pair, starts_segment=starts)
        starts, after_damage = None, pair.damaged
        previous = previous if again else frame


def _break(previous: Frame, frame: Frame) -> str | None:
    """Why `frame` does not follow `previous`; None if it does."""
    if frame.gap is not None or frame.size == previous.size:
        return frame.gap
    return "size changes from {}x{} to {}x{}".format(*previous.size, *frame.size)
