"""Planar motion of the image or a region, and planes found in depth."""

from streamflow.planes.description import describe_planes
from streamflow.planes.eight_parameters import EightParameters, fit_eight_parameters, planar_flow
from streamflow.planes.homography import (
    PlanarMotion,
    fit_homography,
    homography_flow,
    homography_from_parameters,
    nearest_motion,
    planar_motions,
)
from streamflow.planes.segmentation import find_planes
from streamflow.planes.tracking import PlaneTracker, moved

__all__ = [
    "EightParameters",
    "PlanarMotion",
    "PlaneTracker",
    "describe_planes",
    "find_planes",
    "fit_eight_parameters",
    "fit_homography",
    "homography_flow",
    "homography_from_parameters",
    "moved",
    "nearest_motion",
    "planar_flow",
    "planar_motions",
]
