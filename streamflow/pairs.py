"""The sliding two-frame buffer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from streamflow.values import Frame, FramePair


def frame_pairs(
    frames: Iterable[Frame], reference: Literal["newest", "previous"] = "newest"
) -> Iterator[FramePair]:
    """Yield each frame with the one before it, as soon as it arrives.

    Two frames are held, however long the stream. A frame with a `gap`, or of another size, starts afresh:
    it makes no pair with the one before it, and the next pair is marked `fresh`.
    """
    previous: Frame | None = None
    fresh = True
    for frame in frames:
        if previous is None or frame.gap is not None or frame.size != previous.size:
            fresh = True
        else:
            pair = (frame, previous) if reference == "newest" else (previous, frame)
            yield FramePair(*pair, fresh)
            fresh = False
        previous = frame
