"""What is written on a panel: captions, a legend and labels, laid out so that none lies on another."""

from __future__ import annotations

from dataclasses import dataclass, field

from streamflow.draw.colours import WHITE
from streamflow.draw.legend import ColourBar, ColourWheel
from streamflow.draw.text import Box, Colour, Pixel, darken, fitted, line_height, text_size, text_width, write
from streamflow.values import Image

MAX_SHIFTS = 12  # lines that a label moves at most to find a free place


@dataclass
class Annotations:
    """Collects what is to be written while a panel is drawn, and writes it on top of everything."""

    captions: list[tuple[str, Colour]] = field(default_factory=list)  # lines from the top left
    labels: list[tuple[str, Pixel]] = field(default_factory=list)  # with the pixel they belong to
    marks: list[Box] = field(default_factory=list)  # where something is drawn that no label may cover
    legend: ColourBar | ColourWheel | None = None  # at the bottom right

    def caption(self, line: str, colour: Colour = WHITE) -> None:
        """Add a line at the top left."""
        self.captions.append((line, colour))

    def label(self, line: str, place: Pixel) -> None:
        """Add words that belong to a place of the picture; they move where others are."""
        self.labels.append((line, place))

    def keep_free(self, start: Pixel, end: Pixel) -> None:
        """Let no label cover an arrow between two pixels."""
        (left, right), (top, bottom) = (sorted(ends) for ends in zip(start, end, strict=True))
        self.marks.append((left, top, right - left + 1, bottom - top + 1))

    def draw(self, picture: Image) -> list[Box]:
        """Write everything, in place, and return where; what could not be read at this size is left out."""
        taken: list[Box] = []
        if self.legend is not None and (box := self.legend.draw(picture)) is not None:
            taken.append(box)
        size = text_size(picture)
        head = size // 3  # of an arrow, to each side of it
        marks = [(x - head, y - head, w + 2 * head, h + 2 * head) for x, y, w, h in self.marks]
        top = size // 3
        for line, colour in self.captions:
            box = _written(picture, line, (size // 2, top), size, colour)
            if box is not None:
                taken.append(box)
                top += line_height(size)
        for line, place in self.labels:
            corner = _free(picture, line, place, size, [*taken, *marks])
            if corner is not None and (box := _written(picture, line, corner, size, WHITE)) is not None:
                taken.append(box)
        return taken


def _written(picture: Image, line: str, corner: tuple[int, int], size: int, colour: Colour) -> Box | None:
    margin = size // 4
    fits = fitted(line, size, picture.shape[1] - corner[0] - margin)
    if fits is None:
        return None
    box = corner[0] - margin, corner[1], text_width(line, fits) + 2 * margin, line_height(size)
    darken(picture, box)
    write(picture, line, corner, fits, colour)
    return box


def _free(picture: Image, line: str, place: Pixel, size: int, taken: list[Box]) -> tuple[int, int] | None:
    """Top-left corner nearest to `place` where the line lies inside and on no other; None: there is none."""
    height, width = picture.shape[:2]
    box_width, box_height = text_width(line, size) + size // 2, line_height(size)
    x = max(size // 4, min(place[0], width - box_width))
    for shift in range(MAX_SHIFTS):
        for y in dict.fromkeys((place[1] - shift * box_height, place[1] + shift * box_height)):
            box = x - size // 4, y, box_width, box_height
            if 0 <= y <= height - box_height and not any(_overlap(box, other) for other in taken):
                return x, y
    return None


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[0] + b[2] and b[0] < a[0] + a[2] and a[1] < b[1] + b[3] and b[1] < a[1] + a[3]
