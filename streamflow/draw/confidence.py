"""How far a depth is trusted."""

import numpy as np

from streamflow.values import Depth, Map

HALF = 0.1  # relative error at which a depth counts half


def relative_error(depth: Depth) -> Map:
    """Standard deviation of the inverse depth as a share of it, (H, W); NaN where unknown."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.sqrt(depth.variance) / np.abs(depth.inverse), np.float32)


def confidence(depth: Depth) -> Map:
    """Weight of each pixel, (H, W), 0 where unknown to 1 where certain."""
    weight = 1 / (1 + (relative_error(depth) / np.float32(HALF)) ** 2)
    return np.nan_to_num(weight, nan=0.0).astype(np.float32)
