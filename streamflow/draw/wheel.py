"""Dense flow on the colour wheel of Middlebury's benchmark (Baker et al. 2011)."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

from streamflow.draw.legend import ColourWheel
from streamflow.draw.numbers import readable
from streamflow.draw.panel import Panel
from streamflow.values import Image, Vectors

# Hues between the wheel's corners red, yellow, green, cyan, blue, magenta, in steps that look alike.
CORNERS = np.array([[255, 0, 0], [255, 255, 0], [0, 255, 0], [0, 255, 255], [0, 0, 255], [255, 0, 255]])
STEPS = (15, 6, 4, 11, 13, 6)
BEYOND = 0.75  # brightness of vectors longer than the radius
TABLE = 257  # side of the table of colours; odd, so that no motion is exactly white


def draw_colour(panel: Panel) -> Image:
    """View `colour`: hue is direction, saturation is speed, as time passes."""
    if panel.result.flow is None:
        return panel.nothing("the flow was not computed")
    vectors = panel.vectors_in_time
    _, radius = panel.ranges.update("colour", np.hypot(vectors[..., 0], vectors[..., 1]))
    panel.text.legend = ColourWheel(disc(), f"radius {readable(radius)} px/frame")
    return wheel_colours(vectors, radius)


def wheel_colours(vectors: Vectors, radius: float) -> Image:
    """Colour every vector; white is no motion, black is unknown.

    Parameters
    ----------
    vectors : ndarray, shape (H, W, 2)
        Pixels.
    radius : float
        Length of the most saturated colour, pixels; what is longer is darker.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3), BGR
    """
    reach = np.float32((TABLE - 1) / 4 / max(radius, 1e-6))  # the table goes to twice the radius
    places = np.nan_to_num(vectors * reach + np.float32((TABLE - 1) / 2), nan=0.0)
    x, y = np.moveaxis(np.clip(np.rint(places), 0, TABLE - 1).astype(np.intp), 2, 0)
    picture: Image = _table()[y, x]
    picture[~np.isfinite(vectors).all(axis=2)] = 0
    return picture


def disc() -> Image:
    """(N, N, 3) the wheel up to its radius."""
    quarter = (TABLE - 1) // 4
    return _table()[quarter:-quarter, quarter:-quarter]


@cache
def _table() -> Image:
    """(N, N, 3) BGR of vectors from minus to plus twice the radius."""
    y, x = np.mgrid[-2 : 2 : TABLE * 1j, -2 : 2 : TABLE * 1j]
    length = np.hypot(x, y)[..., None]
    hues = np.concatenate(
        [
            np.linspace(a, b, n, endpoint=False)
            for a, b, n in zip(CORNERS, np.roll(CORNERS, -1, 0), STEPS, strict=True)
        ]
    )
    place = (np.arctan2(-y, -x) / np.pi + 1) / 2 * (len(hues) - 1)
    lower = place.astype(int)
    share = (place - lower)[..., None]
    hue = (1 - share) * hues[lower] + share * hues[(lower + 1) % len(hues)]
    colour = np.where(length <= 1, 255 - length * (255 - hue), BEYOND * hue)
    return np.asarray(cv2.cvtColor(colour.astype(np.uint8), cv2.COLOR_RGB2BGR), np.uint8)
