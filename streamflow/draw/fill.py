"""Filling holes for the eye: never data."""

import cv2
import numpy as np

from streamflow.values import Map

SMALLEST = 2  # pixels: side at which the pyramid ends
TINY = np.float32(1e-12)


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
    known = np.isfinite(values)
    weight = np.where(known, confidence, 0).astype(np.float32)
    return _push_pull(np.where(known, values, 0).astype(np.float32), weight)


def _push_pull(values: Map, weight: Map) -> Map:
    height, width = values.shape
    if min(height, width) <= SMALLEST:
        total = weight.sum()
        mean = (values * weight).sum() / total if total else np.nan
        return np.where(weight > 0, values, mean).astype(np.float32)
    total = np.asarray(cv2.pyrDown(weight))
    coarse = cv2.pyrDown(values * weight) / np.maximum(total, TINY)
    coarse = _push_pull(coarse, np.minimum(total * 4, np.float32(1)))
    around = np.asarray(cv2.pyrUp(coarse, dstsize=(width, height)))
    return np.asarray(around + weight * (values - around))
