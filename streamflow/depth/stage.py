"""The depth stage: depth of a pair, filtered over time, in the unit the user asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from streamflow.depth.contact import approach
from streamflow.depth.fusion import DepthFusion
from streamflow.depth.keyframe import Baseline, median_parallax
from streamflow.depth.pair import pair_depth
from streamflow.flow.compose import chained
from streamflow.geometry.rotation import angle_between
from streamflow.options import Knobs, Options
from streamflow.values import Depth, Flow, Frame, FramePair, Matrix, Motion, Status, Unknown, Vectors

Measure = Callable[[FramePair, Motion, Vectors | None], tuple[Flow, Motion]]

SAME_WAY = np.deg2rad(10.0)  # between a step and the way over several


class DepthStage:
    """Binds the options; remembers the fused depth and the frames it may be measured against.

    Parameters
    ----------
    options : Options
    knobs : Knobs
    measure : callable
        Flow and motion of a pair that is not the stream's own, the newest frame against an earlier one, given
        the motion and perhaps the flow (at every second pixel) to start from.
    """

    def __init__(self, options: Options, knobs: Knobs, measure: Measure) -> None:
        self._options, self._knobs, self._measure = options, knobs, measure
        self._baseline: Baseline[Frame] = Baseline()
        self._fusion: DepthFusion | None = None
        self._wide: tuple[FramePair, Vectors] | None = None  # last measured over a longer way

    def __call__(self, pair: FramePair, flow: Flow, motion: Motion, camera_matrix: Matrix) -> Depth:
        """Compute the depth of the reference image."""
        if motion.translation is None or motion.rotation is None:
            self._hold(flow, motion)
            return _no_depth(flow)
        depth = self._depth_of(flow, motion, camera_matrix)
        if self._options.fuse and not pair.forward:
            depth = self._fused(pair, flow, motion, depth, camera_matrix)
        return _with_approach(_metric(depth, pair, self._options), motion, pair)

    def _fused(
        self, pair: FramePair, flow: Flow, motion: Motion, depth: Depth, camera_matrix: Matrix
    ) -> Depth:
        """Filter over time; measured over a longer way than one step where that is better."""
        assert motion.rotation is not None and motion.translation is not None
        if self._fusion is None:
            self._fusion = DepthFusion(camera_matrix)
        parallax = median_parallax(flow.vectors, camera_matrix, motion.rotation)
        keyframe = self._baseline.choose(pair.target, parallax)
        wide = self._wide_depth(pair, keyframe, flow, motion, camera_matrix) if keyframe is not None else None
        return self._fusion(flow.vectors, motion.rotation, motion.translation, depth, wide)

    def _hold(self, flow: Flow, motion: Motion) -> None:
        """Carry what is remembered over a pair without translation; forget it after an unknown motion."""
        if self._fusion is not None and motion.rotation is not None:
            self._fusion.hold(flow.vectors, motion.rotation)
        else:
            self.reset()

    def _wide_depth(
        self, pair: FramePair, keyframe: Frame, onestep: Flow, step: Motion, camera_matrix: Matrix
    ) -> Depth | None:
        """Depth against an earlier frame; None where the way there is not that of the last step."""
        wide = FramePair(pair.reference, keyframe)
        flow, motion = self._measure(wide, step, self._start(pair, keyframe, onestep))
        self._wide = wide, flow.vectors
        if motion.status is not Status.MOVING or _angle_between(motion, step) > SAME_WAY:
            return None
        return self._depth_of(flow, motion, camera_matrix)

    def _start(self, pair: FramePair, keyframe: Frame, flow: Flow) -> Vectors | None:
        """Flow to the keyframe as the last one tells it, at every second pixel: there, and on from there."""
        if self._wide is None:
            return None
        last, vectors = self._wide
        goes_on = last.reference is pair.target and last.target is keyframe
        return chained(flow.vectors, vectors) if goes_on else None

    def _depth_of(self, flow: Flow, motion: Motion, camera_matrix: Matrix) -> Depth:
        assert motion.rotation is not None and motion.translation is not None
        evident = flow.evident(self._knobs.threshmin)
        astray = 0.0 if motion.covariance is None else float(np.sqrt(motion.covariance[:2, :2].trace() / 2))
        return pair_depth(
            flow.vectors, evident, camera_matrix, motion.rotation, motion.translation, astray=astray
        )

    def reset(self) -> None:
        """Forget what was seen so far."""
        self._baseline.reset()
        self._fusion = self._wide = None


def _angle_between(first: Motion, second: Motion) -> float:
    """Angle between the headings of two motions from the same frame, radians."""
    assert first.rotation is not None and first.translation is not None
    assert second.rotation is not None and second.translation is not None
    return float(angle_between(first.rotation.T @ first.translation, second.rotation.T @ second.translation))


def _no_depth(flow: Flow) -> Depth:
    nothing = np.full(flow.sigma.shape, np.nan, np.float32)
    return Depth(nothing, nothing, np.full(nothing.shape, Unknown.NO_MOTION, np.uint8))


def _metric(depth: Depth, pair: FramePair, options: Options) -> Depth:
    """Put metres for steps where the user says how far or how fast the camera goes."""
    metres = options.baseline
    if options.speed is not None and pair.interval is not None:
        metres = options.speed * float(pair.interval)
    if metres is None:
        return depth
    unit = metres / depth.step  # length of the depth's unit, metres
    inverse, variance = depth.inverse / np.float32(unit), depth.variance / np.float32(unit**2)
    return replace(depth, inverse=inverse, variance=variance, unit="m", step=metres)


def _with_approach(depth: Depth, motion: Motion, pair: FramePair) -> Depth:
    """Add how fast the camera goes, in seconds of the stream's clock if it has one."""
    assert motion.rotation is not None and motion.translation is not None
    heading = -motion.translation if pair.forward else motion.translation
    interval = 1.0 if pair.interval is None else float(pair.interval)
    speed = approach(motion.rotation, heading, step=depth.step, interval=interval)
    return replace(depth, approach=speed, contact_unit="frames" if pair.interval is None else "s")
