"""Some words over a picture, for whoever looks at it."""

from __future__ import annotations

from collections.abc import Sequence

from streamflow.draw.annotations import Annotations
from streamflow.draw.text import line_height, text_size
from streamflow.values import Image


def with_notice(picture: Image, lines: Sequence[str]) -> Image:
    """Return a copy with the lines at its middle; the picture itself where there are none."""
    if not lines:
        return picture
    noticed = picture.copy()
    line = line_height(text_size(picture))
    top, left = (picture.shape[0] - len(lines) * line) // 2, picture.shape[1] // 3
    text = Annotations()
    for row, words in enumerate(lines):
        text.label(words, (left, top + row * line))
    text.draw(noticed)
    return noticed
