"""Filling holes for the eye: never data."""

import cv2
import numpy as np
from numpy.typing import NDArray

from streamflow.depth.epipolar import Map

SMALLEST = 2  # pixels: side at which the pyramid ends


def fill_holes(values: Map, confidence: Map) -> Map:
    """Fill NaN from its surroundings by confidence-weighted push-pull.

    Averages with their weights are pulled down a pyramid; on the way up, each pixel takes from the coarser
    level what its own confidence leaves open (Gortler et al. 1996, The Lumigraph, section 3.6.2).

    Parameters
    ----------
    values : (H, W), NaN in the holes.
    confidence : (H, W), 0..1: 1 keeps a value, less mixes it with its surroundings. No matter in holes.

    Returns
    -------
    (H, W), finite everywhere, if any of `values` is.
    """
    weight = np.where(np.isnan(values), np.float32(0), confidence)
    return _push_pull(np.nan_to_num(values, nan=0.0), weight)


def _push_pull(values: Map, weight: NDArray[np.float32]) -> Map:
    height, width = values.shape
    if min(height, width) <= SMALLEST:
        total = weight.sum()
        mean = (values * weight).sum() / total if total else np.nan
        return np.where(weight > 0, values, np.float32(mean))
    total = cv2.pyrDown(weight)
    coarse = cv2.pyrDown(values * weight) / np.maximum(total, np.float32(1e-12))
    coarse = _push_pull(coarse, np.minimum(total * 4, np.float32(1)))
    around = cv2.pyrUp(coarse, dstsize=(width, height))
    return around + weight * (values - around)
