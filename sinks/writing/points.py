"""The pixels whose depth is sure, as points."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streamflow.values import Depth, Image, Mask, Result

MAX_RELATIVE_SIGMA = 0.1  # largest standard deviation of inverse depth, relative to inverse depth


def sure_pixels(depth: Depth) -> Mask:
    """Where depth is positive and its standard deviation at most a tenth of it."""
    with np.errstate(invalid="ignore"):
        sure = (depth.inverse > 0) & (np.sqrt(depth.variance) <= MAX_RELATIVE_SIGMA * depth.inverse)
    return np.asarray(sure, np.bool_)


def points(result: Result, depth: Depth, mask: Mask) -> tuple[NDArray[np.float64], Image]:
    """Points z K^-1 (x, y, 1) in camera axes (x right, y down, z forward), with their colours.

    Returns
    -------
    points : ndarray, shape (N, 3)
    colours : ndarray of uint8, shape (N, 3)
        BGR.
    """
    y, x = np.nonzero(mask)
    rays = np.linalg.inv(result.camera_matrix) @ np.stack([x, y, np.ones_like(x)])
    return (rays / depth.inverse[mask]).T, result.pair.reference.image[mask]
