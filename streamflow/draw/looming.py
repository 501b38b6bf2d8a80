"""What the camera will run into: outlined, with the time that is left."""

from __future__ import annotations

import cv2
import numpy as np

from streamflow.draw.colours import BLACK, RED, WHITE
from streamflow.draw.text import put, text_scale
from streamflow.values import Image, Looming


def draw_looming(picture: Image, looming: Looming) -> None:
    """Outline the region and write the seconds until contact above it, in place."""
    outlines, _ = cv2.findContours(looming.mask.view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    width = max(2, picture.shape[1] // 320)
    for colour, thickness in ((BLACK, width + 2), (RED, width)):
        cv2.drawContours(picture, outlines, -1, colour, thickness, cv2.LINE_AA)
    scale = text_scale(picture)
    x, y, _, height = looming.box
    above, below = y - round(8 * scale), y + height + round(32 * scale)
    bottom_left = x, above if above > 64 * scale else below
    put(picture, f"contact in {looming.time:.1f} s", bottom_left, scale, WHITE)
