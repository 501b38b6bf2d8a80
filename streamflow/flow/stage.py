"""The flow stage: dense flow of a pair, with what belongs to one frame computed once."""

from __future__ import annotations

from functools import cached_property
from threading import Lock
from typing import Any

from streamflow.flow.methods import DenseFlow
from streamflow.flow.smin import smallest_singular_value
from streamflow.kernels.derivatives import space_derivatives
from streamflow.options import Knobs
from streamflow.values import Flow, Frame, FramePair, Map, Vectors

FRAMES = 4  # remembered: of the pair that is begun and the one that is finished, and a keyframe


class OfOneFrame:
    """What belongs to one frame alone: the engine's pyramid, and the texture."""

    def __init__(self, frame: Frame, engine: DenseFlow) -> None:
        self._grey = frame.grey
        self.prepared: Any = engine.prepare(frame.grey)

    @cached_property
    def smin(self) -> Map:
        """(H, W), see `Flow`."""
        return smallest_singular_value(*space_derivatives(self._grey))


class FlowStage:
    """Binds a method; remembers what belongs to the last frames alone, by their grey pictures.

    The flow over a longer way, `wide`, has an engine of its own: another thread may ask for it.
    """

    def __init__(self, engine: DenseFlow, wide: DenseFlow, knobs: Knobs) -> None:
        self._engine, self._wide, self._knobs = engine, wide, knobs
        self._remembered: dict[int, OfOneFrame] = {}
        self._door = Lock()

    def __call__(self, pair: FramePair) -> Flow:
        """Estimate the flow from the reference to the target."""
        return self._between(pair, self._engine, None)

    def wide(self, pair: FramePair, start: Vectors | None) -> Flow:
        """Do so for frames farther apart, beginning at `start` if there is one."""
        return self._between(pair, self._wide, start)

    def _between(self, pair: FramePair, engine: DenseFlow, start: Vectors | None) -> Flow:
        reference, target = self._of(pair.reference), self._of(pair.target)
        vectors, sigma = engine.flow(reference.prepared, target.prepared, start)
        return Flow(vectors, sigma, reference.smin, self._knobs.threshmin)

    def _of(self, frame: Frame) -> OfOneFrame:
        """Find what is remembered of a frame, the latest asked for last; forget the oldest for a new one."""
        with self._door:
            found = self._remembered.pop(id(frame.grey), None)
            if found is None and len(self._remembered) == FRAMES:
                del self._remembered[next(iter(self._remembered))]
            found = found or OfOneFrame(frame, self._engine)
            self._remembered[id(frame.grey)] = found
            return found
