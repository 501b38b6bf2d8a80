"""The flow as arrows over the frame."""

from __future__ import annotations

import cv2
import numpy as np

from streamflow.values import Image, Map, Vectors

ACROSS = 40  # arrows in a row
LENGTH = 0.9  # of the fastest arrow, in grid cells


def draw_arrows(picture: Image, vectors: Vectors, smin: Map, threshmin: float, fastest: float) -> None:
    """Draw an arrow where smin reaches the threshold, coloured by speed, a grey dot elsewhere, in place.

    Arrows show where things go as time passes: the caller hands in vectors of that direction. The fastest
    arrow fills its grid cell unless it is longer by itself.
    """
    height, width = smin.shape
    step = max(6, width // ACROSS)
    stretch = max(1.0, LENGTH * step / max(fastest, 1e-6))
    speed = np.linalg.norm(vectors[step // 2 :: step, step // 2 :: step], axis=-1)
    levels = np.clip(speed / max(fastest, 1e-6) * 255, 0, 255).astype(np.uint8)
    colours = cv2.applyColorMap(levels, cv2.COLORMAP_TURBO)
    for row, y in enumerate(range(step // 2, height, step)):
        for column, x in enumerate(range(step // 2, width, step)):
            if smin[y, x] < threshmin:
                cv2.circle(picture, (x, y), 1, (128, 128, 128), -1)
                continue
            u, v = vectors[y, x] * stretch
            tip = round(x + float(u)), round(y + float(v))
            colour = tuple(int(c) for c in colours[row, column])
            cv2.arrowedLine(picture, (x, y), tip, colour, 1, cv2.LINE_AA, tipLength=0.3)
