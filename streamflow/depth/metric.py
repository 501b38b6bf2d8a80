"""Metres: how long the unit of depth is, from what the user knows of the camera or of the scene."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from streamflow.errors import UsageError
from streamflow.options import Options
from streamflow.values import Depth, FramePair, Matrix, Plane, Result

REMEMBERED = 15  # pairs whose median is the length of the unit: depth gets better, and the unit may drift
# Relative deviation at the least of a length told by a step, or by the ground: cameras pitch, roads bend.
STEP, HEIGHT = 0.01, 0.03
NORMAL = 1.4826  # standard deviation of a Gaussian over its median absolute value
SPACING = 4  # pixels between the points of the ground that tell its distance
REACH = 3  # pixels about the point of a known distance that tell its depth
SURE = 0.2  # relative error of a depth up to which a known distance may be put there


class MetricScale:
    """Binds what the user knows; remembers how long the unit is, which stays through stops and turns."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self.reset()

    def reset(self) -> None:
        """Forget: after a cut or a gap, or when the unit is a new one."""
        self._told: deque[float] = deque(maxlen=REMEMBERED)  # logarithm of the unit's length in metres
        self._sigma = np.nan  # relative, of one of them

    def __call__(self, result: Result) -> Result:
        """Take a pair in; return it in metres, or as it is as long as nothing tells them."""
        if result.depth is None:
            return result
        self._measure(result.pair, result.depth, result.planes or (), result.camera_matrix)
        if not self._told:
            return result
        logarithm = float(np.median(self._told))
        spread = NORMAL * float(np.median(np.abs(np.array(self._told) - logarithm)))
        return in_metres(result, float(np.exp(logarithm)), sigma=max(spread, self._sigma))

    def _measure(self, pair: FramePair, depth: Depth, planes: Sequence[Plane], camera_matrix: Matrix) -> None:
        if depth.new_unit:
            self.reset()
        if depth.step and not depth.held:
            self._measure_step(pair, depth)
        if self._options.camera_height is not None:
            self._measure_height(self._options.camera_height, depth, planes, camera_matrix)
        if self._options.known is not None and not self._told:
            self._measure_distance(*self._options.known, depth, camera_matrix)

    def _measure_step(self, pair: FramePair, depth: Depth) -> None:
        metres = self._options.baseline
        if self._options.speed is not None:
            if pair.interval is None:
                raise UsageError("`speed` needs a clock, and these frames have no times: give `fps`")
            metres = self._options.speed * float(pair.interval)
        if metres is not None:
            self._add(metres / depth.step, STEP)

    def _measure_height(
        self, metres: float, depth: Depth, planes: Sequence[Plane], camera_matrix: Matrix
    ) -> None:
        for plane in planes:
            if plane.name == "ground":
                height = height_above(plane, depth, camera_matrix)
                if np.isfinite(height):
                    self._add(metres / height, HEIGHT)

    def _measure_distance(self, x: int, y: int, metres: float, depth: Depth, camera_matrix: Matrix) -> None:
        height, width = depth.inverse.shape
        if x >= width or y >= height:
            raise UsageError(f"`known` {x},{y},{metres:g} lies outside the {width}x{height} image")
        about = np.s_[max(0, y - REACH) : y + REACH + 1, max(0, x - REACH) : x + REACH + 1]
        inverse, variance = depth.inverse[about], depth.variance[about]
        sure = variance < (SURE * inverse) ** 2  # False for NaN
        if sure.any():
            ray = float(np.linalg.norm(np.linalg.solve(camera_matrix, [x, y, 1])))
            relative = np.sqrt(variance[sure]) / inverse[sure]
            self._add(metres / ray * float(np.median(inverse[sure])), float(np.median(relative)))

    def _add(self, metres: float, sigma: float) -> None:
        self._told.append(float(np.log(metres)))
        self._sigma = sigma


def height_above(plane: Plane, depth: Depth, camera_matrix: Matrix) -> float:
    """Distance of the camera from the plane in the unit of depth, told by its surest points; NaN if none do.

    The fitted plane's own distance leans on what is far away, where a small error of its tilt is a large one
    of its distance.
    """
    assert plane.normal is not None
    y, x = np.nonzero(plane.mask[::SPACING, ::SPACING] & np.isfinite(depth.inverse[::SPACING, ::SPACING]))
    if not len(y):
        return np.nan
    y, x = y * SPACING, x * SPACING
    down = np.linalg.solve(camera_matrix.T, -plane.normal)
    inverse = depth.inverse[y, x].astype(float)
    heights = (down[0] * x + down[1] * y + down[2]) / inverse
    order = np.argsort(heights)
    weight = np.cumsum((inverse**2 / depth.variance[y, x])[order])
    return float(heights[order[np.searchsorted(weight, weight[-1] / 2)]])


def in_metres(result: Result, metres: float, sigma: float) -> Result:
    """The same result with metres as the unit of its depth, planes and pose.

    Parameters
    ----------
    result : with depth.
    metres : length of the depth's unit.
    sigma : its relative standard deviation.
    """
    assert result.depth is not None
    planes, pose = result.planes, result.pose
    if planes is not None:
        planes = tuple(
            replace(plane, distance=plane.distance and plane.distance * metres) for plane in planes
        )
    if pose is not None:
        pose = np.block([[pose[:3, :3], metres * pose[:3, 3:]], [pose[3:]]])
    return replace(result, depth=_depth_in_metres(result.depth, metres, sigma), planes=planes, pose=pose)


def _depth_in_metres(depth: Depth, metres: float, sigma: float) -> Depth:
    return replace(
        depth,
        inverse=depth.inverse / np.float32(metres),
        variance=depth.variance / np.float32(metres**2),
        step=depth.step * metres,
        approach=None if depth.approach is None else depth.approach * metres,
        unit="m",
        unit_sigma=sigma,
    )
