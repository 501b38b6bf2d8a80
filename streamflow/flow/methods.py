"""The methods of dense flow, by name."""

from __future__ import annotations

from typing import Any, Protocol

from streamflow.flow.engine import FlowEngine
from streamflow.flow.plain import PlainFlow
from streamflow.options import FlowMethod
from streamflow.values import Image, Map, Vectors


class DenseFlow(Protocol):
    """A method of dense flow."""

    def prepare(self, grey: Image) -> Any:
        """Compute what belongs to one frame alone."""

    def flow(self, reference: Any, target: Any, start: Vectors | None = None) -> tuple[Vectors, Map]:
        """Return vectors (H, W, 2) and sigma (H, W), pixels, of two prepared frames.

        The flow may begin at `start`, which has the vectors of every second pixel.
        """


def dense_flow(name: FlowMethod) -> DenseFlow:
    """Return the method of that name."""
    return PlainFlow() if name == "plain" else FlowEngine(name)
