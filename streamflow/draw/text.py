"""Captions and colour legends."""

from __future__ import annotations

import cv2
import numpy as np

from streamflow.draw.colours import BLACK, COLOURMAP, WHITE
from streamflow.values import Image

FONT = cv2.FONT_HERSHEY_SIMPLEX


def text_scale(picture: Image) -> float:
    """Font scale that is readable at the picture's size."""
    return max(0.4, float(picture.shape[1]) / 1280)


def caption(picture: Image, line: str, row: int = 0, colour: tuple[int, int, int] = WHITE) -> None:
    """Write a line in the top-left corner, in place; `row` counts lines downwards, or upwards below 0."""
    scale = text_scale(picture)
    height = round(30 * scale)
    y = (row + 1) * height if row >= 0 else picture.shape[0] + (row + 1) * height - height // 3
    put(picture, line, (round(8 * scale), y), scale, colour)


def put(
    picture: Image, line: str, origin: tuple[int, int], scale: float, colour: tuple[int, int, int]
) -> None:
    """Write text with a dark outline, readable on anything, in place."""
    thickness = max(1, round(1.6 * scale))
    cv2.putText(picture, line, origin, FONT, scale, BLACK, thickness + 2, cv2.LINE_AA)
    cv2.putText(picture, line, origin, FONT, scale, colour, thickness, cv2.LINE_AA)


def legend(picture: Image, low: str, high: str, unit: str) -> None:
    """Draw the colour bar with its two ends and unit along the bottom, in place."""
    height, width = picture.shape[:2]
    scale = text_scale(picture)
    bar_height, margin = max(6, round(12 * scale)), round(10 * scale)
    bar_width = width // 3
    if height < 4 * bar_height or bar_width < 20:
        return
    ramp = np.linspace(0, 255, bar_width).astype(np.uint8)[None].repeat(bar_height, axis=0)
    top, left = height - margin - bar_height, width - margin - bar_width
    picture[top : top + bar_height, left : left + bar_width] = cv2.applyColorMap(ramp, COLOURMAP)
    cv2.rectangle(picture, (left - 1, top - 1), (left + bar_width, top + bar_height), WHITE, 1)
    small = 0.8 * scale
    for line, share in ((low, 0.0), (unit, 0.5), (high, 1.0)):
        (text_width, _), _ = cv2.getTextSize(line, FONT, small, 1)
        x = left + round(share * (bar_width - text_width))
        put(picture, line, (x, top - round(7 * scale)), small, WHITE)
