"""Frames that show the last picture again: a video of 15 frames a second played at 30 has every one twice."""

from __future__ import annotations

from fractions import Fraction

import cv2
import numpy as np

from streamflow.values import Frame

BLOCK = 16  # pixels: what codecs skip or code anew as a whole
WORST_BLOCKS = 99.0  # percentile of the blocks' mean differences that stands for the frame
# Doubled frames of seven clips, crf 18 to 33, differ by at most .30 of what the last new picture did, with
# one exception of .56; new pictures of the same clips by .64 or more.
MAX_CHANGE_RATIO = 0.45
MIN_SAME_SHARE = 0.25  # of the grey values: a sensor's noise leaves less when a camera comes to a stop
LONGEST = Fraction(1, 2)  # seconds that a picture is repeated: by then the scene stands still
MOST = 12  # frames, where the stream has no clock


class RepeatDetector:
    """Compares each frame with the last new picture; remembers by how much that one was new.

    Only what changed before tells a repeated picture from a calm scene; before that, the same picture is one
    in which nothing changes at all.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget: after a cut or a gap."""
        self._last_change = 0.0
        self._run = 0  # repeats in a row

    def __call__(self, picture: Frame, frame: Frame) -> bool:
        """Whether `frame` shows `picture`, the last new one, again."""
        change, same = _difference(picture, frame)
        self._run += 1
        repeats = change <= MAX_CHANGE_RATIO * self._last_change and same > MIN_SAME_SHARE
        if repeats and not self._is_overdue(picture, frame):
            return True
        self._last_change, self._run = change, 0
        return False

    def _is_overdue(self, picture: Frame, frame: Frame) -> bool:
        if picture.time is None or frame.time is None:
            return self._run > MOST
        return frame.time - picture.time > LONGEST


def _difference(first: Frame, second: Frame) -> tuple[float, float]:
    """How much the blocks that differ most differ, grey levels, and the share of equal grey values."""
    difference = cv2.absdiff(first.grey, second.grey)
    height, width = difference.shape
    blocks = cv2.resize(
        difference, (max(1, width // BLOCK), max(1, height // BLOCK)), interpolation=cv2.INTER_AREA
    )
    return float(np.percentile(blocks, WORST_BLOCKS)), 1 - cv2.countNonZero(difference) / difference.size
