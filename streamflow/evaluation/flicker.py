"""Temporal stability: how steady the value of a static point is."""

from __future__ import annotations

from collections import deque

import cv2
import numpy as np

from streamflow.values import Map, Mask, Vectors

FRAMES = 5  # in a row that a point is watched


class Flicker:
    """Follows every point of a static scene along its true flow, and compares what was found of it over time.

    What is compared is estimated over true inverse depth, in one unit, so that neither the approach of the
    camera nor the free scale counts, but every error that comes and goes does.
    """

    def __init__(self) -> None:
        self._ratios: deque[Map] = deque(maxlen=FRAMES)  # on the newest frame, NaN where unknown

    def add(self, ratio: Map, vectors: Vectors, visible: Mask) -> float | None:
        """Take a frame in.

        Parameters
        ----------
        ratio : ndarray, shape (H, W)
            Estimated over true inverse depth, NaN where unknown.
        vectors : ndarray, shape (H, W, 2)
            True flow from this frame to the one before.
        visible : ndarray of bool, shape (H, W)
            Seen in both.

        Returns
        -------
        float
            Standard deviation over five frames over the mean, median of the points known in all of them;
            None as long as there are none.
        """
        height, width = ratio.shape
        x = np.where(visible, np.arange(width) + vectors[..., 0], -1).astype(np.float32)
        y = np.where(visible, np.arange(height)[:, None] + vectors[..., 1], -1).astype(np.float32)
        carried = [
            np.asarray(cv2.remap(before, x, y, cv2.INTER_NEAREST, borderValue=np.nan), np.float32)
            for before in self._ratios
        ]
        self._ratios = deque([*carried, ratio.astype(np.float32)], maxlen=FRAMES)
        if len(self._ratios) < FRAMES:
            return None
        values = np.array(self._ratios)
        values = values[:, np.isfinite(values).all(axis=0)]
        return float(np.median(values.std(axis=0) / values.mean(axis=0))) if values.size else None
