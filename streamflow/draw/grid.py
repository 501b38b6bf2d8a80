"""Several pictures as one tidy picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np

from streamflow.values import Image

WIDEST = 1920  # pixels; a grid is shrunk to this unless one picture alone is wider
SHAPE = 1.8  # width over height that a grid comes as near to as it can


def tile(pictures: Sequence[Image], rows: int | None = None) -> Image:
    """Arrange pictures in rows of one width, without gaps; the upper rows hold fewer, larger pictures.

    Parameters
    ----------
    pictures : sequence of ndarray of uint8, shape (H, W, 3)
        The most important first.
    rows : int, optional
        None: as many as bring the whole nearest to the shape of a screen.

    Returns
    -------
    ndarray of uint8, shape (H', W', 3)
    """
    if len(pictures) == 1:
        return pictures[0]
    shapes = [picture.shape[1] / picture.shape[0] for picture in pictures]
    bounds = _bounds(len(pictures), rows or _best_rows(shapes))
    parts = [pictures[start:end] for start, end in pairwise(bounds)]
    widest = max(picture.shape[1] for picture in pictures)
    natural = max(sum(picture.shape[1] for picture in part) for part in parts)
    width = min(natural, max(WIDEST, widest))
    return np.asarray(cv2.vconcat([_row(part, width) for part in parts]), np.uint8)


def _row(pictures: Sequence[Image], width: int) -> Image:
    """Scale pictures to one height, so that they fill the width to the pixel."""
    shapes = [picture.shape[1] / picture.shape[0] for picture in pictures]
    height = round(width / sum(shapes))
    edges = np.rint(np.cumsum([0, *shapes]) / sum(shapes) * width).astype(int)
    sizes = [(int(right - left), height) for left, right in pairwise(edges)]
    return np.asarray(cv2.hconcat([_resized(p, size) for p, size in zip(pictures, sizes, strict=True)]))


def _resized(picture: Image, size: tuple[int, int]) -> Image:
    shrinks = size[0] < picture.shape[1]
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC))


def _bounds(count: int, rows: int) -> list[int]:
    """Where each row begins, and the last one ends; the upper rows are the shorter ones."""
    return [count * row // rows for row in range(rows + 1)]


def _best_rows(shapes: Sequence[float]) -> int:
    """Number of rows whose whole is nearest to `SHAPE`; the fewest of several."""

    def distance(rows: int) -> float:
        bounds = _bounds(len(shapes), rows)
        height = sum(1 / sum(shapes[start:end]) for start, end in pairwise(bounds))
        return round(abs(math.log(1 / height / SHAPE)), 6)

    return min(range(1, len(shapes) + 1), key=distance)
