"""What moves by itself, as tinted objects with their identity and velocity."""

from __future__ import annotations

import cv2
import numpy as np

from streamflow.draw.colours import LABELS, WHITE
from streamflow.draw.panel import Panel
from streamflow.draw.text import Pixel, stroke
from streamflow.values import Image, Matrix, MovingObject

TINT = 0.45
SECONDS = 0.25  # of the velocity, that the arrow is long


def draw_moving(panel: Panel) -> Image:
    """View `moving`."""
    result = panel.result
    if result.objects is None:
        return panel.nothing("what moves by itself was not computed")
    picture = result.pair.reference.image.copy()
    for part in result.objects:
        x, y, _, _ = part.box
        panel.text.keep_free(*draw_object(picture, part))
        panel.text.label(_words(part), (x, y))
    if not result.objects:
        panel.text.caption("nothing moves by itself")
    return picture


def draw_object(picture: Image, part: MovingObject) -> tuple[Pixel, Pixel]:
    """Tint the object's pixels and draw its outline and velocity, in place; return the arrow's two ends."""
    colour = LABELS[part.label % len(LABELS)]
    picture[part.mask] = ((1 - TINT) * picture[part.mask] + TINT * np.array(colour)).astype(np.uint8)
    outlines, _ = cv2.findContours(part.mask.view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(picture, outlines, -1, colour, stroke(picture), cv2.LINE_AA)
    x, y, width, height = part.box
    start = np.array([x + width / 2, y + height / 2])
    ends = _pixel(start), _pixel(start + SECONDS * np.nan_to_num(part.velocity))
    if np.isfinite(part.velocity).all():
        cv2.arrowedLine(picture, *ends, WHITE, 2 * stroke(picture), cv2.LINE_AA, tipLength=0.25)
    return ends


def _pixel(point: Matrix) -> Pixel:
    return round(float(point[0])), round(float(point[1]))


def _words(part: MovingObject) -> str:
    speed = float(np.hypot(*part.velocity))
    words = [] if np.isnan(speed) else [f"{speed:.0f} px/s"]
    words += [] if part.time_to_contact is None else [f"contact in {part.time_to_contact:.1f} s"]
    return f"{part.label}: {', '.join(words)}" if words else f"{part.label}"
