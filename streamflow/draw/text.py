"""Text that can be read at any size of the picture and on any ground, in any script."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

from streamflow.values import Image

Colour = tuple[int, int, int]
Pixel = tuple[int, int]  # x, y
Box = tuple[int, int, int, int]  # x, y, width, height, pixels

LINES = 30  # of text that a picture has room for
MIN_SIZE = 12  # pixels: a font that is read at ease
MIN_SHRUNK = 8  # that can be read
WEIGHT = 500
SHADE = 0.35  # brightness of the picture behind text


@cache
def _font() -> cv2.FontFace:
    return cv2.FontFace("sans")


def text_size(picture: Image) -> int:
    """Size in pixels of a font that fits the picture."""
    height, width = picture.shape[:2]
    return max(MIN_SIZE, int(min(height, 0.75 * width) / LINES + 0.5))


def stroke(picture: Image) -> int:
    """Width in pixels of a thin line that fits the picture."""
    return max(1, round(text_size(picture) / 14))


def text_width(line: str, size: int) -> int:
    """Width of a line, pixels."""
    return int(cv2.getTextSize((0, 0), line, (0, 0), _font(), size, WEIGHT)[2])


def line_height(size: int) -> int:
    """Distance of two lines, pixels."""
    return round(1.3 * size)


def fitted(line: str, size: int, room: int) -> int | None:
    """Return the size at which `line` is no wider than `room`; None: it could not be read."""
    while size >= MIN_SHRUNK and text_width(line, size) > room:
        size -= 1
    return size if size >= MIN_SHRUNK else None


def darken(picture: Image, box: Box) -> None:
    """Darken the ground that text is to stand on, in place."""
    x, y, width, height = box
    ground = picture[max(0, y) : y + height, max(0, x) : x + width]
    np.multiply(ground, SHADE, out=ground, casting="unsafe")


def write(picture: Image, line: str, corner: tuple[int, int], size: int, colour: Colour) -> None:
    """Write one line whose box begins at `corner`, its top left, in place."""
    origin = corner[0], corner[1] + size
    cv2.putText(picture, line, origin, colour, _font(), size, WEIGHT, wrap=(0, 1 << 20))
