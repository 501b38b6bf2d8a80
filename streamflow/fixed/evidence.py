"""What two pictures a few frames apart say of each point: it stayed, it moved, or there is no telling."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from streamflow.values import Image, Mask

Grey = NDArray[np.float32]  # (H, W) grey levels, reduced and smoothed

BAND = 64  # rows
REDUCED_WIDTH = 320  # pixels: letters of a time stamp are still seen, the noise of codecs hardly
WINDOW = (3, 3)  # pixels, over which a point is compared
SURROUND = (15, 15)  # pixels, whose mean change may be left out: that of the exposure, a reflection
WEAKEST, STRONG = 1.5, 5.0  # grey levels a pixel: gradients that tell anything, and whatever the noise
STAYS, MOVES = 0.2, 0.4  # reduced pixels along the gradient, at most and at least
COPY, NOISE = 0.4, 1.5  # grey levels that differ where a codec copies, and where it codes anew
SURFACE, ISOTROPY = (9, 9), 0.25  # pixels, and how far their gradients must point every way, 0 .. 1
BLACK = 6.0  # grey levels: bars and masks have no texture
PITCH_BLACK = 3.0  # grey levels: bars and masks, as decoders give them back; no night that a camera saw
RIM = np.ones((9, 9), np.uint8)  # pixels: where bars and masks end, and ring; no texture of the scene


class Evidence(NamedTuple):
    """Of every point of the reduced picture."""

    stays: Mask
    moves: Mask
    strong: Mask  # texture of the scene that tells the two apart whatever the noise


def reduced(grey: Image) -> Grey:
    """Return the picture that is compared, at most about 1.5 times `REDUCED_WIDTH` wide."""
    height, width = grey.shape
    factor = max(1, round(width / REDUCED_WIDTH))
    size = max(1, width // factor), max(1, height // factor)
    small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(small, (3, 3), 0), np.float32)


def compare(now: Grey, before: Grey) -> Evidence:
    """Compare the change of each point with what a motion would make of its gradients.

    Over a window, the mean square of the change is that of the gradient times the motion along it, squared:
    no flow is needed, and a motion of many pixels only makes the change saturate.
    """
    # In bands of rows: the many maps in between are small enough to be reused, which halves the time.
    height, margin = len(now), (SURROUND[1] + WINDOW[1]) // 2
    bands = []
    for top in range(0, height, BAND):
        rows = slice(max(0, top - margin), top + BAND + margin)
        part = slice(top - rows.start, min(height, top + BAND) - rows.start)
        bands.append([found[part] for found in compare_rows(now[rows], before[rows])])
    stays, moves, strong = (np.concatenate(band) for band in zip(*bands, strict=True))
    black = _touching_border((now < BLACK) & (cv2.absdiff(now, before) < NOISE))
    at_rim = cv2.dilate(black.view(np.uint8), RIM).view(np.bool_)
    return Evidence(stays | black, moves, strong & ~at_rim)


def compare_rows(now: Grey, before: Grey) -> Evidence:
    """Do the same for some rows, without what is black."""
    change = now - before
    alone = change - cv2.boxFilter(change, -1, SURROUND)
    change2 = np.minimum(*(cv2.boxFilter(part * part, -1, WINDOW) for part in (change, alone)))
    ix, iy = (np.asarray(cv2.Sobel(now, cv2.CV_32F, *o, scale=1 / 8), np.float32) for o in ((1, 0), (0, 1)))
    gradient2 = cv2.boxFilter(ix * ix + iy * iy, -1, WINDOW)
    textured = gradient2 > WEAKEST**2
    still = textured & (change2 < np.maximum(COPY**2, STAYS**2 * gradient2)) & _has_corners(ix, iy)
    moves = change2 > NOISE**2 + np.where(textured, MOVES**2 * gradient2, 3 * NOISE**2)
    return Evidence(still, moves, gradient2 > STRONG**2)


def _has_corners(ix: Grey, iy: Grey) -> Mask:
    """Where the structure tensor is that of more than a straight edge: 4 det / trace^2, 1 for a corner.

    A lane marking that leads to the epipole moves along itself, so do level lines under a lens that zooms.
    """
    xx, xy, yy = (cv2.boxFilter(product, -1, SURFACE) for product in (ix * ix, ix * iy, iy * iy))
    return np.asarray(4 * (xx * yy - xy * xy) > ISOTROPY * (xx + yy) ** 2)


def pitch_black(now: Grey) -> Mask:
    """What a single picture already shows to be a bar or a mask."""
    return _touching_border(now < PITCH_BLACK)


def _touching_border(mask: Mask) -> Mask:
    """Leave the parts of a mask that reach the border: bars do, the shadow under the car ahead does not."""
    padded = cv2.copyMakeBorder(mask.view(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=1)
    cv2.floodFill(padded, None, (0, 0), 2)
    return np.asarray(padded[1:-1, 1:-1] == 2)
