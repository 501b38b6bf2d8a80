"""The derivatives that the flow is computed from, beside each other."""

from __future__ import annotations

import cv2
import numpy as np

from streamflow.draw.grid import tile
from streamflow.draw.numbers import readable
from streamflow.draw.panel import Panel
from streamflow.kernels.derivatives import pair_derivatives
from streamflow.values import Image, Map

UNITS = {"Ix": "grey levels/px", "Iy": "grey levels/px", "It": "grey levels/frame"}


def draw_derivatives(panel: Panel) -> Image:
    """View `derivatives`: zero is grey, bright is positive, each with its own range."""
    maps = dict(zip(UNITS, pair_derivatives(panel.result.pair), strict=True))
    largest = {name: panel.ranges.update(name, np.abs(values))[1] for name, values in maps.items()}
    picture = tile([_signed(values, largest[name]) for name, values in maps.items()], rows=1)
    height, width = picture.shape[:2]
    for position, (name, unit) in enumerate(UNITS.items()):
        words = f"{name}  ±{readable(largest[name])} {unit}"
        panel.text.label(words, (position * width // 3 + width // 100, height - height // 12))
    return picture


def _signed(values: Map, largest: float) -> Image:
    levels = np.clip(128 + values * (127 / max(largest, 1e-6)), 0, 255).astype(np.uint8)
    return np.asarray(cv2.cvtColor(levels, cv2.COLOR_GRAY2BGR), np.uint8)
