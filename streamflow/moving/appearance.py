"""What the moving part looks like, against what lies around it: colour histograms that forget slowly."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from streamflow.values import Map, Mask

BINS = 12  # along each axis of Lab
SCALE = np.array([BINS / 100, BINS / 140, BINS / 140], np.float32)  # L from 0 to 100, a and b about 0
OFFSET = np.array([0, BINS / 2, BINS / 2], np.float32)
FORGETTING = 0.2  # share of a histogram that a frame renews
RARE = 1e-4  # frequency below which a colour tells nothing
MAX_LOG_RATIO = 3.0
CORE = 3.0  # cells from an object's edge that its colours are taken from: flow spills over the edge
GAP, BAND = 2, 20  # cells around: where the background's colours begin and end


class Appearance:
    """Remembers two histograms of colours: of what moves, and of the background around it."""

    def __init__(self) -> None:
        self._object: NDArray[np.floating] | None = None
        self._around: NDArray[np.floating] | None = None

    def log_ratio(self, colour: NDArray[np.floating]) -> Map:
        """(h, w) log-likelihood of each cell's colour as an object's over the background's.

        It counts as far as the two differ at all: by one minus their Bhattacharyya coefficient.
        """
        if self._object is None or self._around is None:
            return np.zeros(colour.shape[:2], np.float32)
        ratio = np.log((self._object + RARE) / (self._around + RARE))
        distinct = 1 - np.sqrt(self._object * self._around).sum()
        return np.asarray(distinct * np.clip(ratio, -MAX_LOG_RATIO, MAX_LOG_RATIO)[_bins(colour)], np.float32)

    def learn(self, colour: NDArray[np.floating], moving: Mask) -> None:
        """Renew the histograms from a frame whose moving cells are known."""
        if not moving.any():
            return
        inside = cv2.distanceTransform(moving.view(np.uint8), cv2.DIST_L2, 3)
        outside = cv2.distanceTransform((~moving).view(np.uint8), cv2.DIST_L2, 3)
        bins = _bins(colour)
        core = bins[inside > min(CORE, 0.4 * float(inside.max()))]
        around = bins[(outside > GAP) & (outside < BAND)]
        self._object = _renewed(self._object, core)
        self._around = _renewed(self._around, around)


def _bins(colour: NDArray[np.floating]) -> NDArray[np.intp]:
    scaled = colour * SCALE + OFFSET
    first, second, third = np.moveaxis(np.clip(scaled, 0, BINS - 1).astype(np.intp), -1, 0)
    return np.asarray((first * BINS + second) * BINS + third)


def _renewed(before: NDArray[np.floating] | None, bins: NDArray[np.intp]) -> NDArray[np.floating] | None:
    from scipy.ndimage import convolve1d

    if not bins.size:
        return before
    counts = np.bincount(bins, minlength=BINS**3).reshape(BINS, BINS, BINS).astype(np.float32)
    for axis in range(3):
        counts = convolve1d(counts, [0.25, 0.5, 0.25], axis=axis, mode="nearest")
    now = np.asarray(counts.ravel() / counts.sum(), np.float32)
    return now if before is None else (1 - FORGETTING) * before + FORGETTING * now
