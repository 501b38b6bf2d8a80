"""Several pictures of one size as one tidy picture."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np

from streamflow.values import Image

WIDEST = 1920  # pixels; a grid is shrunk to this unless one picture alone is wider


def tile(pictures: Sequence[Image]) -> Image:
    """Arrange pictures of one size row by row, in as square a grid as their shape allows.

    Parameters
    ----------
    pictures : sequence of ndarray of uint8, shape (H, W, 3)

    Returns
    -------
    ndarray of uint8, shape (H', W', 3)
    """
    if len(pictures) == 1:
        return pictures[0]
    height, width = pictures[0].shape[:2]
    columns = _columns(len(pictures), width / height)
    scale = min(1.0, max(WIDEST, width) / (columns * width))
    size = round(width * scale), round(height * scale)
    shrunk = [cv2.resize(picture, size, interpolation=cv2.INTER_AREA) for picture in pictures]
    shrunk += [np.zeros_like(shrunk[0])] * (-len(shrunk) % columns)
    rows = [cv2.hconcat(shrunk[i : i + columns]) for i in range(0, len(shrunk), columns)]
    return np.asarray(cv2.vconcat(rows), np.uint8)


def _columns(count: int, shape: float) -> int:
    """Number of columns that brings the whole nearest to 16:10, a row left empty as rarely as possible."""

    def badness(columns: int) -> float:
        rows = -(-count // columns)
        return abs(math.log(columns * shape / rows / 1.6)) + 0.5 * (columns * rows - count)

    return min(range(1, count + 1), key=badness)
