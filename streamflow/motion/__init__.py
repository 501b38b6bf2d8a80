"""Camera motion from flow: rotation, direction of translation, epipole, and how far to trust them."""

from streamflow.motion.epipole import Ellipse, bearing, ellipse, off_axis, pixel
from streamflow.motion.estimate import estimate_motion
from streamflow.motion.filter import MotionFilter
from streamflow.motion.sampling import FlowPoints, sample

__all__ = [
    "Ellipse",
    "FlowPoints",
    "MotionFilter",
    "bearing",
    "ellipse",
    "estimate_motion",
    "off_axis",
    "pixel",
    "sample",
]
