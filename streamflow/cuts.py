"""Cuts: two frames in a row that do not show the same scene."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from streamflow.values import Frame, Image

Thumbnail = NDArray[np.float32]

WIDTH = 96  # pixels of the thumbnails, about: their blocks lose noise and small motion, not the scene
SMALLEST = 128  # pixels of a picture: of a smaller one too little noise is averaged away
BLOCK = 12  # pixels
REACH = 8  # pixels that a block is looked for: a twelfth of the picture
FLATTEST = 4.0  # grey levels, standard deviation: a block with less shows nothing to find again
FEWEST, MOST = 4, 20  # blocks that are worth a median, and that tell as much as all
# Of 1,700 pairs of 33 sequences with up to 155 px of motion the worst mismatch is .29; of 1,000 cuts between
# them the least is .35, but for scenes that are framed alike, such as two roads.
MISMATCH = 0.33
# There it leaps to ten times that of the pairs before (in a shot: three times), and the histograms differ. An
# exposure that jumps by 1.6 and clips the sky leaps, too, to .1.
LEAP, LEAP_RATIO = 0.15, 5.0
LEAST_MISMATCH = 0.01  # of the pairs before: a camera at rest has none at all
LIKENESS = 0.8  # of the histograms at the same brightness and contrast
LEVELS = 32  # of the histograms


class CutDetector:
    """Compares each picture with the last one, and the mismatch with that of the pairs before."""

    def __init__(self) -> None:
        self._last: Thumbnail | None = None
        self._mismatch: list[float] = []  # of the last two pairs of the shot

    def __call__(self, frame: Frame) -> bool:
        """Whether `frame` shows another scene than the last one."""
        last, self._last = self._last, _thumbnail(frame.grey)
        if last is None or last.shape != self._last.shape or max(frame.size) < SMALLEST:
            self._mismatch = []
            return False
        cut = self._judge(last, self._last)
        if cut:
            self._mismatch = []
        return cut

    def _judge(self, last: Thumbnail, thumbnail: Thumbnail) -> bool:
        mismatch = _mismatch(last, thumbnail)
        usual = max([LEAST_MISMATCH, *self._mismatch])
        self._mismatch = [*self._mismatch[-1:], mismatch]
        leaps = len(self._mismatch) > 1 and mismatch > max(LEAP, LEAP_RATIO * usual)
        return mismatch > MISMATCH or (leaps and _likeness(_levelled(last), _levelled(thumbnail)) < LIKENESS)


def _thumbnail(grey: Image) -> Thumbnail:
    height, width = grey.shape
    factor = max(1, round(max(width, height) / WIDTH))  # a whole one is ten times as fast
    rows, columns = max(1, height // factor), max(1, width // factor)
    whole = grey[: rows * factor, : columns * factor]
    return cv2.resize(whole, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.float32)


def _mismatch(first: Thumbnail, second: Thumbnail) -> float:
    """1 - normalised correlation of a block with its best match in the other picture, in the median.

    Blocks are those of the picture that has more texture; without any, the grey values are compared.
    """
    blocks, others = _textured(second), _textured(first)
    if len(others) > len(blocks):
        blocks, first = others, second
    if len(blocks) < FEWEST:
        return float(cv2.absdiff(first, second).mean()) / 255
    some = blocks[:: -(-len(blocks) // MOST)]
    return 1 - float(np.median([_best_match(first, *block) for block in some]))


def _textured(picture: Thumbnail) -> list[tuple[int, int, Thumbnail]]:
    """Row, column and grey values of the blocks that show something."""
    rows, columns = picture.shape[0] // BLOCK, picture.shape[1] // BLOCK
    blocks = picture[: rows * BLOCK, : columns * BLOCK].reshape(rows, BLOCK, columns, BLOCK)
    corners = np.argwhere(blocks.std(axis=(1, 3)) > FLATTEST) * BLOCK
    return [(y, x, picture[y : y + BLOCK, x : x + BLOCK]) for y, x in corners.tolist()]


def _best_match(picture: Thumbnail, y: int, x: int, block: Thumbnail) -> float:
    around = picture[max(0, y - REACH) : y + BLOCK + REACH, max(0, x - REACH) : x + BLOCK + REACH]
    return float(cv2.matchTemplate(around, block, cv2.TM_CCOEFF_NORMED).max())


def _levelled(picture: Thumbnail) -> Thumbnail:
    """The same at a standard brightness and contrast."""
    mean, deviation = float(picture.mean()), float(picture.std())
    return np.asarray(np.clip(128 + 40 * (picture - mean) / max(deviation, FLATTEST), 0, 255), np.float32)


def _likeness(first: Thumbnail, second: Thumbnail) -> float:
    """Intersection of the histograms, 0 .. 1."""
    counts = [cv2.calcHist([picture], [0], None, [LEVELS], [0, 256]) for picture in (first, second)]
    return float(np.minimum(*counts).sum() / first.size)
