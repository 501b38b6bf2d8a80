"""The sliding two-frame buffer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Literal

from streamflow.values import Frame, FramePair


def frame_pairs(
    frames: Iterable[Frame], reference: Literal["newest", "previous"] = "newest"
) -> Iterator[FramePair]:
    """Yield each frame with the one before it, as soon as it arrives.

    Two frames are held, however long the stream. A frame with a `gap`, or of another size, starts afresh:
    it makes no pair with the one before it, and the next pair is marked `fresh`. So is the first pair of
    whole frames after damaged ones: what these left in the memory of the stages is not to be trusted.
    """
    previous: Frame | None = None
    fresh, after_damage = True, False
    for frame in frames:
        if previous is None or frame.gap is not None or frame.size != previous.size:
            fresh = True
        else:
            pair = FramePair(*((frame, previous) if reference == "newest" else (previous, frame)))
            yield replace(pair, fresh=fresh or (after_damage and not pair.damaged))
            fresh, after_damage = False, pair.damaged
        previous = frame
