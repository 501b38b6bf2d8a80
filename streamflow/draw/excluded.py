"""What is not the scene, hatched: an overlay, a bonnet, bars, a mask of the user's."""

from __future__ import annotations

import numpy as np

from streamflow.values import Image, Mask

PERIOD, WIDTH = 12, 2  # pixels between the lines of the hatching, and of a line
HATCH = np.array((150, 150, 150), np.uint8)


def draw_excluded(picture: Image, excluded: Mask) -> None:
    """Hatch the mask, in place."""
    height, width = excluded.shape
    diagonal = np.arange(height)[:, None] + np.arange(width)
    picture[excluded & (diagonal % PERIOD < WIDTH)] = HATCH
