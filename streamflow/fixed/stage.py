"""The stage that learns what is fixed to the camera: an overlay, the bonnet, bars, dirt, a round mask."""

from __future__ import annotations

from collections import deque

import cv2
import numpy as np
from numpy.typing import NDArray

from streamflow.fixed.evidence import Evidence, Grey, compare, pitch_black, reduced
from streamflow.values import Frame, Mask

EVERY = 3  # pictures, of which one is looked at
LAG = 3  # of those, between the two that are compared: far hills have moved by then, and shaken
# Of the strong texture that is not fixed .58 or more has moved when the camera moves, with a bonnet, a stamp
# or bars and at any crf; .45 or less when it rests and traffic or a drifting car with its smoke passes.
MOVING_SHARE = 0.45
FEWEST = 0.01  # of the picture: less strong texture says nothing of the scene
# Points: each comparison with a moving scene brings one, a motion takes three, and so many decide.
LEARNT, RELEASED, MOST = 4.0, 2.0, 10.0
# Each comparison with a scene at rest takes two, so that no lorry that passes a camera at rest, for up to two
# seconds, makes it one behind a bonnet.
DOUBT, DEEPEST = 2.0, -16.0
LETTER = np.ones((3, 3), np.uint8)  # reduced pixels: what is smaller is chance
MARGIN = np.ones((5, 5), np.uint8)  # reduced pixels: where a window of the flow would still see it


class FixedStage:
    """Keeps the last few pictures, reduced, and how much speaks for each point being fixed.

    A point that stays while the scene moves is fixed. Where the scene as a whole stands still, nothing is
    learnt but doubt; what is known already stays known, as at a traffic light.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget: after a cut or a gap."""
        self._pictures: deque[Grey] = deque(maxlen=LAG)
        self._points: NDArray[np.float32] | None = None
        self._fixed: Mask | None = None
        self._count = 0

    def __call__(self, frame: Frame) -> Mask | None:
        """Take the next new picture in; (H, W) what is fixed in it, None where nothing is."""
        if self._count % EVERY == 0:
            self._look(reduced(frame.grey))
        self._count += 1
        if self._fixed is None or not self._fixed.any():
            return None
        solid = cv2.morphologyEx(self._fixed.view(np.uint8), cv2.MORPH_OPEN, LETTER)
        full = cv2.resize(cv2.dilate(solid, MARGIN), frame.size, interpolation=cv2.INTER_NEAREST)
        return np.asarray(full, np.uint8).view(np.bool_)

    def _look(self, picture: Grey) -> None:
        if self._points is None or self._fixed is None:
            self._fixed = pitch_black(picture)
            self._points = LEARNT * self._fixed.astype(np.float32)
        if len(self._pictures) == LAG:
            self._learn(self._points, self._fixed, compare(picture, self._pictures[0]))
        self._pictures.append(picture)

    def _learn(self, points: NDArray[np.float32], fixed: Mask, seen: Evidence) -> None:
        free = seen.strong & ~fixed
        count = np.count_nonzero(free)
        if count > FEWEST * free.size:
            moving = np.count_nonzero(free & seen.moves) > MOVING_SHARE * count
            points += seen.stays if moving else -DOUBT * (seen.stays & ~fixed)
        points -= 3 * seen.moves
        np.clip(points, DEEPEST, MOST, out=points)
        self._fixed = (points >= LEARNT) | (fixed & (points >= RELEASED))
