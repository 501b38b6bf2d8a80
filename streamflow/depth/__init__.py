"""Depth from flow and camera motion, for one pair and over time."""

from streamflow.depth.baseline import Baseline, median_parallax
from streamflow.depth.confidence import confidence, relative_error
from streamflow.depth.contact import approach
from streamflow.depth.epipolar import signed_inverse_depth
from streamflow.depth.fill import fill_holes
from streamflow.depth.fusion import DepthFusion
from streamflow.depth.pair import pair_depth

__all__ = [
    "Baseline",
    "DepthFusion",
    "approach",
    "confidence",
    "fill_holes",
    "median_parallax",
    "pair_depth",
    "relative_error",
    "signed_inverse_depth",
]
