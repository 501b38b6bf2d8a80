"""What the colours of a panel mean: a bar with three numbers, or a wheel with its radius."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from streamflow.draw.colours import WHITE
from streamflow.draw.text import Box, darken, fitted, line_height, text_size, text_width, write
from streamflow.values import Image

MIN_WIDTH, MIN_HEIGHT = 160, 100  # pixels of a panel that has room for a legend


@dataclass(frozen=True)
class ColourBar:
    """A ramp of colours with the values of its two ends and its middle."""

    ramp: Image  # (1, N, 3), from low to high
    ticks: tuple[str, str, str]  # low, middle, high
    titles: Sequence[str]  # what is shown and in which unit, the longest first: the first that fits is taken

    def draw(self, picture: Image) -> Box | None:
        """Draw the bar along the bottom, at the right, in place; return where it is."""
        height, width = picture.shape[:2]
        if width < MIN_WIDTH or height < MIN_HEIGHT:
            return None
        size = text_size(picture)
        margin, line = size // 2, line_height(size)
        title = next((t for t in self.titles if text_width(t, size) <= 0.6 * width), self.titles[-1])
        needed = sum(text_width(tick, size) for tick in self.ticks) + 2 * size
        bar_width = min(max(width // 3, text_width(title, size), needed), width - 2 * margin)
        bar_height = round(0.6 * size)
        x, y = width - margin - bar_width, height - margin - bar_height - 2 * line
        box = x - margin, y - margin // 2, width - x + margin, height - y + margin // 2
        darken(picture, box)
        write(picture, title, (x, y), fitted(title, size, bar_width) or size, WHITE)
        for tick, share in zip(self.ticks, (0.0, 0.5, 1.0), strict=True):
            left = x + round(share * (bar_width - text_width(tick, size)))
            write(picture, tick, (left, y + line), size, WHITE)
        bar = cv2.resize(self.ramp, (bar_width, bar_height), interpolation=cv2.INTER_LINEAR)
        picture[y + 2 * line : y + 2 * line + bar_height, x : x + bar_width] = bar
        return box


@dataclass(frozen=True)
class ColourWheel:
    """A disc whose colours mean directions and lengths of vectors."""

    disc: Image  # (N, N, 3)
    title: str  # what its radius is

    def draw(self, picture: Image) -> Box | None:
        """Draw the disc in the bottom-right corner, in place; return where it and its title are."""
        height, width = picture.shape[:2]
        if width < MIN_WIDTH or height < MIN_HEIGHT:
            return None
        size = text_size(picture)
        margin, line, side = size // 2, line_height(size), 5 * size
        box_width = min(max(side, text_width(self.title, size)) + 2 * margin, width)
        box = width - box_width, height - side - line - 2 * margin, box_width, side + line + 2 * margin
        darken(picture, box)
        write(picture, self.title, (box[0] + margin, box[1] + margin // 2), size, WHITE)
        disc = cv2.resize(self.disc, (side, side), interpolation=cv2.INTER_AREA)
        y, x = np.mgrid[:side, :side] - (side - 1) / 2
        inside = np.hypot(x, y) <= side / 2
        top, left = height - margin - side, box[0] + (box_width - side) // 2
        picture[top : top + side, left : left + side][inside] = disc[inside]
        return box
