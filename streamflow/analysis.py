"""The stages in their order, each taking the pair and what the earlier ones found."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import NamedTuple, Protocol

from streamflow.depth.completion import completed
from streamflow.depth.looming_warning import LoomingWarning
from streamflow.depth.metric import MetricScale
from streamflow.depth.stage import DepthStage, Measurement
from streamflow.depth.trajectory import Trajectory
from streamflow.fixed.stage import FixedStage
from streamflow.flow.compose import chained
from streamflow.flow.methods import DenseFlow, dense_flow
from streamflow.flow.stage import FlowStage
from streamflow.geometry.camera import Camera, camera_for
from streamflow.motion.smoothing import MotionFilter
from streamflow.motion.stage import MotionStage
from streamflow.moving.stage import MovingStage
from streamflow.options import Knobs, Options
from streamflow.planes.stage import PlanesStage
from streamflow.stages import Stage
from streamflow.values import (
    Depth,
    Flow,
    Frame,
    FramePair,
    Mask,
    Matrix,
    Motion,
    MovingObject,
    Result,
    SourceInfo,
    Unknown,
)


class Clock:
    """Adds up the milliseconds of each stage."""

    def __init__(self) -> None:
        self.milliseconds: dict[str, float] = {}

    @contextmanager
    def times(self, stage: Stage) -> Iterator[None]:
        """Context whose time is the stage's."""
        started = time.perf_counter()
        yield
        elapsed = 1000 * (time.perf_counter() - started)
        self.milliseconds[stage] = self.milliseconds.get(stage, 0.0) + elapsed


class Begun(NamedTuple):
    """What the first half of the stages found in a pair; of a repeated picture nothing."""

    pair: FramePair
    camera: Camera
    clock: Clock
    flow: Flow | None = None
    motion: Motion | None = None
    smoothed: Motion | None = None
    log_focals: Matrix | None = None  # see `MotionStage.log_focals`
    objects: tuple[MovingObject, ...] | None = None


class Analysis:
    """Turns a pair into a result; each stage binds its options and keeps its own memory of the stream.

    The stages have two halves. `begin` asks nothing of those of `finish`, so that a thread may finish a pair
    while another begins the next; each pair is begun, and finished, after the one before it.
    """

    def __init__(
        self,
        stages: frozenset[Stage],
        options: Options,
        knobs: Knobs,
        source: SourceInfo | None,
        engine: DenseFlow | None = None,
    ) -> None:
        if options.camera_height is not None and Stage.DEPTH in stages:
            stages |= {Stage.PLANES}  # the ground tells the metre
        if options.warn_below is not None and Stage.DEPTH in stages:
            stages |= {Stage.MOVING}  # what moves by itself is warned of too
        self._stages, self._options, self._source = stages, options, source
        self._camera: Camera | None = None
        self._flow = FlowStage(engine or dense_flow(options.flow), engine or dense_flow(options.flow), knobs)
        # What begins a pair
        self._fixed = FixedStage()
        self._motion = MotionStage(options.motion)
        self._smoothing = MotionFilter()
        self._moving = MovingStage()
        # What finishes it
        self._depth = DepthStage(options)
        self._warning = LoomingWarning(options)
        self._planes = PlanesStage(options)
        self._trajectory, self._scale = Trajectory(), MetricScale(options)
        self._last: Result | None = None
        self._segments = _Segments()

    def __call__(self, pair: FramePair) -> Result:
        """Run the stages that were asked for; for a repeated picture, hold what was found in it."""
        return self.finish(self.begin(pair))

    def begin(self, pair: FramePair) -> Begun:
        """Find the flow, the camera's motion, and what moves by itself."""
        clock = Clock()
        if pair.repeat is not None:
            return Begun(pair, self._camera_for(pair.reference), clock)
        if pair.starts_segment is not None:
            _reset(self._fixed, self._motion, self._smoothing, self._moving)
        if pair.starts_segment == "cut":
            self._motion.forget_lens()
        camera = self._motion.camera(self._camera_for(pair.reference))
        motion = smoothed = log_focals = objects = None
        with clock.times(Stage.FLOW):
            flow = replace(self._flow(pair), excluded=self._excluded(pair))
        if Stage.MOTION in self._stages:
            with clock.times(Stage.MOTION):
                motion = self._motion(pair, self._at_rest(pair, flow), camera)
                smoothed = self._smoothing.update(motion, camera.matrix)
                log_focals = self._motion.log_focals(camera)
        if motion is not None and Stage.MOVING in self._stages:
            with clock.times(Stage.MOVING):
                objects = self._moving(pair, flow, motion, camera.matrix)
        return Begun(pair, camera, clock, flow, motion, smoothed, log_focals, objects)

    def finish(self, begun: Begun) -> Result:
        """Measure depth, find planes, and put together what was found."""
        pair, camera, clock, flow, motion, smoothed, _, objects = begun
        if flow is None:
            assert self._last is not None
            return replace(self._last, pair=pair, starts_segment=None)
        if pair.starts_segment is not None:
            _reset(self._depth, self._warning, self._planes, self._trajectory, self._scale)
        K = camera.matrix
        depth = looming = planes = pose = None
        if motion is not None and Stage.DEPTH in self._stages:
            step = Measurement(pair, flow, motion)
            wide = self._measured_wide(step, begun)
            with clock.times(Stage.DEPTH):
                depth = self._depth(step, wide, K)
                if flow.excluded is not None:
                    depth = depth.without(flow.excluded)
                for part in objects or ():
                    depth = depth.without(part.mask, Unknown.MOVING)
                looming = self._warning(pair, motion, depth, K, objects or ())
                pose = self._trajectory(pair, motion, depth)
        if motion is not None and depth is not None and Stage.PLANES in self._stages:
            with clock.times(Stage.PLANES):
                planes = self._planes(pair, flow, motion, depth, K)
        segment, starts = self._segments.place(pair, depth)
        result = Result(
            pair, K, camera.source, camera.focal_sigma, flow, motion, smoothed, depth, looming, planes, pose,
            objects=objects, timing=clock.milliseconds, segment=segment, starts_segment=starts,
        )  # fmt: skip
        self._last = self._completed(self._scale(result))
        return self._last

    def _completed(self, result: Result) -> Result:
        if result.depth is None or not self._options.fill:
            return result
        return replace(result, depth=completed(result.depth, result.pair.reference.grey))

    def _excluded(self, pair: FramePair) -> Mask | None:
        """What of the picture is not the scene: masked by the user, or fixed to the camera."""
        fixed = self._fixed(pair.newest) if Stage.MOTION in self._stages else None
        masked = None if self._options.mask is None else self._options.mask.fitted_to(pair.newest.size)
        return fixed if masked is None else masked if fixed is None else fixed | masked

    def _at_rest(self, pair: FramePair, flow: Flow) -> Flow:
        """Flow without what moved by itself in the last pair, where that is expected now."""
        moving = self._moving.expected(pair, flow)
        if moving is None:
            return flow
        return replace(flow, excluded=moving if flow.excluded is None else moving | flow.excluded)

    def _measured_wide(self, step: Measurement, begun: Begun) -> Measurement | None:
        """Flow and motion from the newest frame to the keyframe of depth; nothing is remembered of them."""
        camera, clock = begun.camera, begun.clock
        with clock.times(Stage.DEPTH):
            keyframe = self._depth.keyframe(step, camera.matrix)
        if keyframe is None:
            return None
        with clock.times(Stage.FLOW):
            start = None if keyframe.last is None else chained(step.flow.vectors, keyframe.last)
            flow = replace(self._flow.wide(keyframe.pair, start), excluded=step.flow.excluded)
        with clock.times(Stage.MOTION):
            motion = self._motion.estimate(keyframe.pair, flow, camera, step.motion, begun.log_focals)
        return Measurement(keyframe.pair, flow, motion)

    def rectified(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Undo the lens distortion, where the calibration knows it."""
        for frame in frames:
            yield self._camera_for(frame).rectify(frame)

    def _camera_for(self, frame: Frame) -> Camera:
        if self._camera is None or self._camera.size != frame.size:
            self._motion.forget_lens()
            self._camera = camera_for(self._options, self._source, frame.size)
        return self._camera


class _Memory(Protocol):
    """What a stage remembers of the stream."""

    def reset(self) -> None:
        """Forget it: what follows does not continue it."""


def _reset(*memories: _Memory) -> None:
    for memory in memories:
        memory.reset()


class _Segments:
    """Counts the parts of a stream that share one unit of depth and one trajectory."""

    def __init__(self) -> None:
        self._count = 0
        self._has_unit = False

    def place(self, pair: FramePair, depth: Depth | None) -> tuple[int, str | None]:
        """Return the segment's number, from 0, and why it begins with this pair, if it does."""
        new_unit = depth is not None and depth.new_unit
        starts = pair.starts_segment or ("scale lost" if new_unit and self._has_unit else None)
        self._count += starts is not None
        self._has_unit = new_unit or (self._has_unit and starts is None)
        return max(0, self._count - 1), starts
