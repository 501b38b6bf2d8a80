"""Captions and colour legends."""

from __future__ import annotations

import cv2
import numpy as np

from streamflow.draw.colours import COLOURMAP, WHITE
from streamflow.values import Image

FONT = cv2.FONT_HERSHEY_SIMPLEX
SHADE = 0.35  # brightness of the picture behind text


def text_scale(picture: Image) -> float:
    """Font scale that is readable at the picture's size."""
    return max(0.4, float(picture.shape[1]) / 1280)


def caption(picture: Image, line: str, row: int = 0, colour: tuple[int, int, int] = WHITE) -> None:
    """Write a line in the top-left corner, in place; `row` counts lines downwards, or upwards below 0."""
    scale = text_scale(picture)
    height = round(32 * scale)
    y = (row + 1) * height if row >= 0 else picture.shape[0] + (row + 1) * height - height // 3
    put(picture, line, (round(8 * scale), y), scale, colour)


def put(
    picture: Image, line: str, origin: tuple[int, int], scale: float, colour: tuple[int, int, int]
) -> None:
    """Write text on a darkened ground, readable on anything, in place; `origin` is its bottom left."""
    thickness = max(1, round(1.6 * scale))
    (width, height), below = cv2.getTextSize(line, FONT, scale, thickness)
    x, y = max(0, min(origin[0], picture.shape[1] - width)), origin[1]
    margin = max(2, round(4 * scale))
    ground = picture[max(0, y - height - margin) : y + below, max(0, x - margin) : x + width + margin]
    np.multiply(ground, SHADE, out=ground, casting="unsafe")
    cv2.putText(picture, line, (x, y), FONT, scale, colour, thickness, cv2.LINE_AA)


def legend(picture: Image, low: str, high: str, unit: str) -> None:
    """Draw the colour bar with its two ends and unit along the bottom, in place."""
    height, width = picture.shape[:2]
    scale = text_scale(picture)
    bar_height, margin = max(6, round(12 * scale)), round(10 * scale)
    bar_width = round(width / 2.2)
    if height < 6 * bar_height or width < 160:
        return
    ramp = np.linspace(0, 255, bar_width).astype(np.uint8)[None].repeat(bar_height, axis=0)
    top, left = height - margin - bar_height, width - margin - bar_width
    small = 0.75 * scale
    widths = [cv2.getTextSize(line, FONT, small, 1)[0][0] for line in (low, unit, high)]
    line_height = round(30 * small)
    ground = picture[top - line_height : height, left - margin : width]
    np.multiply(ground, SHADE, out=ground, casting="unsafe")
    picture[top : top + bar_height, left : left + bar_width] = cv2.applyColorMap(ramp, COLOURMAP)
    for line, text_width, share in zip((low, unit, high), widths, (0.0, 0.5, 1.0), strict=True):
        x = left + round(share * (bar_width - text_width))
        cv2.putText(picture, line, (x, top - round(6 * scale)), FONT, small, WHITE, 1, cv2.LINE_AA)
