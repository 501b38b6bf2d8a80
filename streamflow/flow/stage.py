"""The flow stage: dense flow of a pair, with what belongs to one frame computed once."""

from __future__ import annotations

from functools import lru_cache
from threading import Lock
from typing import Any

from streamflow.flow.methods import DenseFlow
from streamflow.flow.smin import smallest_singular_value
from streamflow.kernels.derivatives import space_derivatives
from streamflow.options import Knobs
from streamflow.values import Flow, Frame, FramePair, Map, Vectors

FRAMES = 4  # remembered: of the pair that is begun and the one that is finished, and a keyframe


class FlowStage:
    """Binds a method; remembers the pyramids and gradients of the last frames.

    The flow over a longer way, `wide`, has an engine of its own: another thread may ask for it.
    """

    def __init__(self, engine: DenseFlow, wide: DenseFlow, knobs: Knobs) -> None:
        self._engine, self._wide, self._knobs = engine, wide, knobs
        self._preparing = Lock()
        self._prepared = lru_cache(FRAMES)(self._prepare)
        self._confidence = lru_cache(FRAMES)(_smin)

    def __call__(self, pair: FramePair) -> Flow:
        """Estimate the flow from the reference to the target."""
        return self._between(pair, self._engine, None)

    def wide(self, pair: FramePair, start: Vectors | None) -> Flow:
        """Do so for frames farther apart, beginning at `start` if there is one."""
        return self._between(pair, self._wide, start)

    def _between(self, pair: FramePair, engine: DenseFlow, start: Vectors | None) -> Flow:
        reference, target = self._prepared(pair.reference), self._prepared(pair.target)
        vectors, sigma = engine.flow(reference, target, start)
        return Flow(vectors, sigma, self._confidence(pair.reference), self._knobs.threshmin)

    def _prepare(self, frame: Frame) -> Any:
        with self._preparing:
            return self._engine.prepare(frame.grey)


def _smin(frame: Frame) -> Map:
    return smallest_singular_value(*space_derivatives(frame.grey))
