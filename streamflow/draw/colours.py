"""Numbers to colours."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

from streamflow.values import Image, Map

GREEN, RED, YELLOW, WHITE, BLACK = (80, 220, 80), (60, 60, 240), (40, 220, 255), (255, 255, 255), (0, 0, 0)
ORANGE, GREY = (0, 140, 255), (128, 128, 128)
LABELS = ((80, 200, 80), (230, 130, 60), (70, 130, 255), (210, 90, 200), (60, 220, 220), (220, 210, 90))
# viridis is perceptually uniform and has no grey in it, so the grey of unknown pixels cannot be mistaken.
DEFAULT_COLOURS = "viridis"
DIM = 0.45  # brightness of the photograph behind a map


@cache
def ramp(colours: str) -> Image:
    """(1, 256, 3) colours of a map by name, from low to high."""
    levels = np.arange(256, dtype=np.uint8)[None]
    if colours == "grey":
        return np.asarray(cv2.cvtColor(levels, cv2.COLOR_GRAY2BGR), np.uint8)
    return np.asarray(cv2.applyColorMap(levels, getattr(cv2, f"COLORMAP_{colours.upper()}")), np.uint8)


def colour_map(
    values: Map, low: float, high: float, background: Image, colours: str = DEFAULT_COLOURS
) -> Image:
    """Colour known values between `low` (dark) and `high` (bright); unknown pixels show a dim photograph.

    In a grey picture they are black: a photograph could not be told from the values.

    Parameters
    ----------
    values : ndarray of float32, shape (H, W)
        NaN where unknown.
    low, high : float
        Ends of the colour range, in the unit of `values`.
    background : ndarray of uint8, shape (H, W)
        Grey image.
    colours : str
        One of `streamflow.draw.views.COLOURS`.
    """
    scaled = (values - low) * (255 / max(high - low, 1e-12))
    levels = cv2.convertScaleAbs(np.clip(np.nan_to_num(scaled, nan=0.0), 0, 255))
    coloured = cv2.applyColorMap(levels, ramp(colours).reshape(256, 1, 3))
    unknown = np.isnan(values).view(np.uint8)
    behind = np.zeros_like(coloured) if colours == "grey" else dimmed(background)
    cv2.copyTo(behind, unknown, coloured)
    return np.asarray(coloured, np.uint8)


def dimmed(grey: Image) -> Image:
    """(H, W, 3) darkened grey picture, to draw on."""
    return np.asarray(cv2.cvtColor(cv2.convertScaleAbs(grey, alpha=DIM), cv2.COLOR_GRAY2BGR), np.uint8)
