"""The depth stage: depth of a pair, filtered over time, in the unit the user asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from streamflow.depth.approach import approach
from streamflow.depth.calibration import calibrated
from streamflow.depth.fusion import DepthFusion
from streamflow.depth.keyframe import KeyframeSelector, median_parallax
from streamflow.depth.pair import pair_depth
from streamflow.geometry.rotation import angle_between
from streamflow.options import Options
from streamflow.values import (
    Depth,
    Flow,
    Frame,
    FramePair,
    Matrix,
    Motion,
    Status,
    Translation,
    Unknown,
    Vectors,
)

# Grey levels: one level of noise in each of a window's 25 pixels. Over smin it is the error of matching where
# there is next to no texture, of which the flow's candidates, all alike there, say nothing.
MATCHING_NOISE = np.float32(1 / 5)
HELD = 0.005  # relative error that depth gains while the camera only turns or stands still
LOST, MAX_LOST = 0.05, 2  # the same for a pair whose motion is not known, and how many of them it outlives
SHARED = 0.7  # part of a measurement's variance that no number of further ones takes away
SAME_WAY = np.deg2rad(10.0)  # between a step and the way over several


class Keyframe(NamedTuple):
    """A longer way to measure depth over: from the newest frame back to an earlier one."""

    pair: FramePair
    last: Vectors | None  # flow from the previous frame to the same keyframe, where that was measured


class Measurement(NamedTuple):
    """What was found in a pair."""

    pair: FramePair
    flow: Flow
    motion: Motion


class DepthStage:
    """Binds the options; remembers the fused depth and the frames it may be measured against.

    For every pair, ask for the `keyframe` first: where there is one, the stage wants to know flow and motion
    to it as well.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self._keyframes: KeyframeSelector[Frame] = KeyframeSelector()
        self._fusion: DepthFusion | None = None
        self._last: Measurement | None = None  # against a keyframe
        self._before = np.eye(3), np.zeros(3), 0.0  # R, T and step of the last pair that had a translation
        self._lost = 0  # pairs in a row whose motion is not known

    def keyframe(self, step: Measurement, camera_matrix: Matrix) -> Keyframe | None:
        """Return the longer way to measure the newest frame over; None where one step is best."""
        pair, flow, motion = step
        if not self._fuses(pair) or motion.translation is None or motion.rotation is None:
            return None
        parallax = median_parallax(flow.vectors, camera_matrix, motion.rotation)
        earlier = self._keyframes.choose(pair.target.without_colour(), parallax)
        if earlier is None:
            return None
        return Keyframe(FramePair(pair.reference, earlier), self._last_flow(pair, earlier))

    def __call__(self, step: Measurement, keyframe: Measurement | None, camera_matrix: Matrix) -> Depth:
        """Compute the depth of the reference image, from the pair and from the way to its keyframe."""
        pair, flow, motion = step
        if motion.translation is None or motion.rotation is None:
            return self._held(pair, flow, motion) or _no_depth(flow)
        depth = _depth_of(flow, motion.rotation, motion.translation, camera_matrix)
        if self._fuses(pair):
            if self._fusion is None:
                self._fusion = DepthFusion(camera_matrix, SHARED)
            keyframe_depth = self._keyframe_depth(keyframe, motion, camera_matrix) if keyframe else None
            T = motion.translation.direction
            depth = self._fusion(flow.vectors, motion.rotation, T, depth, keyframe_depth)
            self._lost, self._before = 0, (motion.rotation, T, depth.step)
        return _with_approach(depth, motion, pair)

    def _fuses(self, pair: FramePair) -> bool:
        return self._options.fuse and not pair.forward

    def _held(self, pair: FramePair, flow: Flow, motion: Motion) -> Depth | None:
        """Carry what is remembered over a pair without translation, or over few whose motion is not known."""
        if self._fusion is None or pair.forward:
            return None
        if motion.rotation is not None:
            self._lost = 0
            return self._fusion.hold(flow.vectors, motion.rotation, np.zeros(3), 0.0, HELD)
        self._lost += 1
        if self._lost > MAX_LOST:
            self.reset()
            return None
        return self._fusion.hold(flow.vectors, *self._before, LOST)

    def _keyframe_depth(self, keyframe: Measurement, step: Motion, camera_matrix: Matrix) -> Depth | None:
        """Depth against a keyframe; None where the way there is not that of the last step."""
        self._last = keyframe
        R, translation = keyframe.motion.rotation, keyframe.motion.translation
        if keyframe.motion.status is not Status.MOVING or R is None or translation is None:
            return None
        if angle_between(_heading(keyframe.motion), _heading(step)) > SAME_WAY:
            return None
        return _depth_of(keyframe.flow, R, translation, camera_matrix)

    def _last_flow(self, pair: FramePair, keyframe: Frame) -> Vectors | None:
        if self._last is None:
            return None
        last = self._last.pair
        goes_on = last.reference is pair.target and last.target is keyframe
        return self._last.flow.vectors if goes_on else None

    def reset(self) -> None:
        """Forget what was seen so far."""
        self._keyframes.reset()
        self._fusion = self._last = None
        self._lost = 0


def _depth_of(flow: Flow, R: Matrix, translation: Translation, camera_matrix: Matrix) -> Depth:
    direction_sigma = float(np.sqrt(translation.covariance[:2, :2].trace() / 2))
    noise = MATCHING_NOISE / np.maximum(flow.smin, np.float32(1e-3))
    sigma = np.sqrt(np.square(flow.evident) + np.square(noise, out=noise))  # a quarter of np.hypot's time
    T = translation.direction
    sigma = calibrated(sigma, flow.vectors, camera_matrix, R, T)
    return pair_depth(flow.vectors, sigma, camera_matrix, R, T, direction_sigma=direction_sigma)


def _heading(motion: Motion) -> Matrix:
    """(3,) R^T T, from the same frame for every motion from it."""
    assert motion.rotation is not None and motion.translation is not None
    return np.asarray(motion.rotation.T @ motion.translation.direction)


def _no_depth(flow: Flow) -> Depth:
    nothing = np.full(flow.sigma.shape, np.nan, np.float32)
    return Depth(nothing, nothing, np.full(nothing.shape, Unknown.NO_MOTION, np.uint8))


def _with_approach(depth: Depth, motion: Motion, pair: FramePair) -> Depth:
    """Add how fast the camera goes, in seconds of the stream's clock if it has one."""
    assert motion.rotation is not None and motion.translation is not None
    T = motion.translation.direction
    interval = 1.0 if pair.interval is None else float(pair.interval)
    speed = approach(motion.rotation, -T if pair.forward else T, step=depth.step, interval=interval)
    return replace(depth, approach=speed, contact_unit="frames" if pair.interval is None else "s")
