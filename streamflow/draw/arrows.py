"""The flow as arrows over the frame."""

from __future__ import annotations

import cv2
import numpy as np

from streamflow.draw.colours import GREY, dimmed
from streamflow.draw.panel import Panel
from streamflow.draw.text import stroke
from streamflow.values import Image, Map, Vectors

ACROSS = 40  # arrows in a row
LENGTH = 0.9  # of the fastest arrow, in grid cells


def draw_flow(panel: Panel) -> Image:
    """View `flow`."""
    result = panel.result
    if result.flow is None:
        return panel.nothing("the flow was not computed")
    picture = dimmed(result.pair.reference.grey)
    vectors, smin = panel.vectors_in_time, result.flow.smin
    speed = np.where(smin >= panel.threshmin, np.hypot(vectors[..., 0], vectors[..., 1]), np.nan)
    _, top = panel.ranges.update("flow", speed)
    fastest, stretch = draw_arrows(picture, vectors, smin, panel.threshmin, top)
    longer = f", drawn {stretch:.1f} times as long" if stretch > 1.05 else ""
    panel.text.caption(f"fastest arrow {fastest:.1f} px/frame{longer}")
    panel.text.caption(f"smin ≥ {panel.threshmin:g} grey levels/px")
    return picture


def draw_arrows(
    picture: Image, vectors: Vectors, smin: Map, threshmin: float, top: float
) -> tuple[float, float]:
    """Draw an arrow where smin reaches the threshold, coloured by speed, a grey dot elsewhere, in place.

    Arrows show where things go as time passes: the caller hands in vectors of that direction. One of `top`
    pixels a frame fills its grid cell, unless it is longer by itself.

    Returns
    -------
    fastest : float
        The fastest arrow, pixels a frame; 0 without any.
    stretch : float
        How many times as long as the motion the arrows are.
    """
    height, width = smin.shape
    step = max(6, width // ACROSS)
    stretch = max(1.0, LENGTH * step / max(top, 1e-6))
    thickness, fastest = stroke(picture), 0.0
    speed = np.linalg.norm(vectors[step // 2 :: step, step // 2 :: step], axis=-1)
    levels = np.clip(np.nan_to_num(speed) / max(top, 1e-6) * 255, 0, 255).astype(np.uint8)
    colours = cv2.applyColorMap(levels, cv2.COLORMAP_TURBO)
    for row, y in enumerate(range(step // 2, height, step)):
        for column, x in enumerate(range(step // 2, width, step)):
            if not (smin[y, x] >= threshmin and np.isfinite(speed[row, column])):
                cv2.circle(picture, (x, y), thickness, GREY, -1)
                continue
            fastest = max(fastest, float(speed[row, column]))
            u, v = vectors[y, x] * stretch
            tip = round(x + float(u)), round(y + float(v))
            colour = tuple(int(c) for c in colours[row, column])
            cv2.arrowedLine(picture, (x, y), tip, colour, thickness, cv2.LINE_AA, tipLength=0.3)
    return fastest, stretch
