"""The flow stage: dense flow of a pair, with what belongs to one frame computed once."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from streamflow.flow.methods import DenseFlow
from streamflow.flow.smin import smallest_singular_value
from streamflow.kernels.derivatives import space_derivatives
from streamflow.options import Knobs
from streamflow.values import Flow, Frame, FramePair, Map, Vectors

FRAMES = 3  # remembered: the pair's two, and one that an earlier pair may share with a later one


class FlowStage:
    """Binds a method; remembers the pyramids and gradients of the last frames."""

    def __init__(self, engine: DenseFlow, knobs: Knobs) -> None:
        self._engine, self._knobs = engine, knobs
        self._prepared = lru_cache(FRAMES)(self._prepare)
        self._confidence = lru_cache(FRAMES)(_smin)

    def __call__(self, pair: FramePair, start: Vectors | None = None) -> Flow:
        """Estimate the flow from the reference to the target, beginning at `start` if there is one."""
        reference, target = self._prepared(pair.reference), self._prepared(pair.target)
        vectors, sigma = self._engine.flow(reference, target, start)
        return Flow(vectors, sigma, self._confidence(pair.reference), self._knobs.threshmin)

    def _prepare(self, frame: Frame) -> Any:
        return self._engine.prepare(frame.grey)


def _smin(frame: Frame) -> Map:
    return smallest_singular_value(*space_derivatives(frame.grey))
