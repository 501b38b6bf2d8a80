"""The stages in their order, each taking the pair and what the earlier ones found."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from streamflow.depth.looming_warning import LoomingWarning
from streamflow.depth.stage import DepthStage
from streamflow.flow.engine import FlowEngine
from streamflow.flow.stage import DenseFlow, FlowStage
from streamflow.geometry.camera import Camera, camera_for
from streamflow.motion.stage import MotionStage
from streamflow.options import Knobs, Options
from streamflow.planes.stage import PlanesStage
from streamflow.stages import Stage
from streamflow.values import Flow, Frame, FramePair, Motion, Result, SourceInfo, Vectors


class Analysis:
    """Turns a pair into a result; each stage binds its options and keeps its own memory of the stream."""

    def __init__(
        self,
        stages: frozenset[Stage],
        options: Options,
        knobs: Knobs,
        source: SourceInfo | None,
        engine: DenseFlow | None = None,
    ) -> None:
        self._stages, self._options, self._source = stages, options, source
        self._camera: Camera | None = None
        self._flow = FlowStage(engine or FlowEngine(options.flow))
        self._motion = MotionStage(options.motion, knobs)
        self._depth = DepthStage(options, knobs, self._measure)
        self._warning = LoomingWarning(options)
        self._planes = PlanesStage(options, knobs)

    def __call__(self, pair: FramePair) -> Result:
        """Run the stages that were asked for."""
        camera = self._camera_for(pair.reference)
        milliseconds: dict[str, float] = {}
        with _timed(milliseconds, Stage.FLOW):
            flow = self._flow(pair)
        result = Result(pair, camera.matrix, camera.assumed, flow, timing=milliseconds)
        if Stage.EPIPOLE not in self._stages:
            return result
        with _timed(milliseconds, Stage.EPIPOLE):
            motion = self._motion(pair, flow, camera.matrix)
        result = replace(result, motion=motion)
        if Stage.DEPTH in self._stages:
            with _timed(milliseconds, Stage.DEPTH):
                depth = self._depth(pair, flow, motion, camera.matrix)
                looming = self._warning(pair, motion, depth, camera.matrix)
            result = replace(result, depth=depth, looming=looming)
            if Stage.PLANES in self._stages:
                with _timed(milliseconds, Stage.PLANES):
                    planes = self._planes(pair, flow, motion, depth, camera.matrix)
                result = replace(result, planes=planes)
        return result

    def rectified(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Undo the lens distortion, where the calibration knows it."""
        for frame in frames:
            yield self._camera_for(frame).rectify(frame)

    def reset(self) -> None:
        """Forget the stream: what follows does not continue it."""
        for stage in (self._motion, self._depth, self._warning, self._planes):
            stage.reset()

    def _measure(self, pair: FramePair, prior: Motion, start: Vectors | None) -> tuple[Flow, Motion]:
        """Flow and motion of a pair that is not the stream's own; nothing is remembered of it."""
        flow = self._flow(pair, start)
        return flow, self._motion.estimate(pair, flow, self._camera_for(pair.reference).matrix, prior)

    def _camera_for(self, frame: Frame) -> Camera:
        if self._camera is None or self._camera.size != frame.size:
            self._camera = camera_for(self._options, self._source, frame.size)
        return self._camera


@contextmanager
def _timed(milliseconds: dict[str, float], stage: Stage) -> Iterator[None]:
    started = time.perf_counter()
    yield
    milliseconds[stage] = 1000 * (time.perf_counter() - started)
