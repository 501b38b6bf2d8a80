"""What the camera will run into: outlined, with the time that is left."""

from __future__ import annotations

import cv2
import numpy as np

from streamflow.draw.annotations import Annotations
from streamflow.draw.colours import BLACK, RED
from streamflow.draw.text import line_height, stroke, text_size
from streamflow.values import Image, Looming


def draw_looming(picture: Image, looming: Looming, text: Annotations) -> None:
    """Outline the region, in place, and say above it how many seconds are left."""
    outlines, _ = cv2.findContours(looming.mask.view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    width = 2 * stroke(picture)
    for colour, thickness in ((BLACK, width + 2), (RED, width)):
        cv2.drawContours(picture, outlines, -1, colour, thickness, cv2.LINE_AA)
    x, y, _, height = looming.box
    line = line_height(text_size(picture))
    above = y - line
    text.label(f"contact in {looming.time:.1f} s", (x, above if above > 0 else y + height))
