"""Depth of every pixel, for those who want it: from its surroundings where nothing was measured."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from streamflow.depth.global_smoother import smooth_globally
from streamflow.values import Depth, Image, Unknown

SPACING = 2  # pixels between those it is worked out at
HALF = 0.1  # relative error of a depth that counts half
STRENGTH, CONTRAST = 1000.0, 4.0  # of the smoothness; grey levels
FAINT, TINY = (
    np.float32(1e-6),
    np.float32(1e-30),
)  # weight of all that is around, and of nothing
DOUBT = np.float32(1.0)  # deviation of a filled pixel over the scatter of its surroundings
LEAST = np.float32(0.05)  # its relative deviation where they do not scatter


def completed(depth: Depth, grey: Image) -> Depth:
    """Fill what is unknown from its surroundings: edge-aware, weighted by confidence, with its own variance.

    Mean and scatter of inverse depth about each pixel, by a smoother that does not reach across the edges of
    the image (see `smooth_globally`), over the same of their weights: normalised convolution (Knutsson &
    Westin 1993) with a weighted least squares kernel. Worked out at half size. What was measured stays.

    Parameters
    ----------
    depth : Depth
    grey : (H, W), the reference image.

    Returns
    -------
    Depth
        Filled pixels have the bit `Unknown.FILLED` beside the reason why they were not measured.
    """
    known = np.isfinite(depth.inverse)
    if not known.any():
        return depth
    guide = np.ascontiguousarray(grey[::SPACING, ::SPACING])
    weight, first, second = smooth_globally(_moments(depth), guide, STRENGTH, CONTRAST)
    mean = first / np.maximum(weight, TINY)
    variance = DOUBT**2 * np.maximum(second / np.maximum(weight, TINY) - mean**2, 0) + (LEAST * mean) ** 2
    mean[weight < FAINT] = np.nan
    size = grey.shape[1], grey.shape[0]
    inverse, spread = (np.asarray(cv2.resize(part, size), np.float32) for part in (mean, variance))
    inverse[known], spread[known] = depth.inverse[known], depth.variance[known]
    inverse[depth.unknown & np.uint8(Unknown.FIXED) > 0] = np.nan  # no part of the scene
    spread[np.isnan(inverse)] = np.nan
    filled = ~known & np.isfinite(inverse)
    unknown = depth.unknown | np.uint8(Unknown.FILLED) * filled
    return replace(depth, inverse=inverse, variance=spread, unknown=unknown)


def _moments(depth: Depth) -> NDArray[np.float32]:
    """Weight, and with it inverse depth and its square, of every second pixel, (3, h, w); 0 where unknown."""
    inverse, variance = depth.inverse[::SPACING, ::SPACING], depth.variance[::SPACING, ::SPACING]
    weight = 1 / (1 + variance / (HALF * inverse) ** 2)
    return np.nan_to_num(
        np.stack([weight, weight * inverse, weight * inverse**2]).astype(np.float32), nan=0.0
    )
