"""What a view is drawn from, and how it is to look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from streamflow.draw.annotations import Annotations
from streamflow.draw.colours import DEFAULT_COLOURS, ORANGE, colour_map, dimmed, ramp
from streamflow.draw.legend import ColourBar
from streamflow.draw.ranges import Ranges
from streamflow.values import Image, Map, Matrix, Result, Vectors


@dataclass(frozen=True)
class Style:
    """How results are drawn; fixed for a run."""

    views: tuple[str, ...] = ("image", "depth")  # in one picture
    limits: tuple[float, float] | None = None  # fixed range (near, far) of the depth's colours, in its unit
    colours: str = DEFAULT_COLOURS
    clean: bool = False  # without captions, legends and markers


@dataclass(frozen=True)
class Panel:
    """One view of one result, about to be drawn."""

    result: Result
    style: Style
    threshmin: float
    ranges: Ranges  # remembers what must not flicker
    trace: Sequence[Matrix]  # where the epipole was during the last second, pixels
    text: Annotations = field(default_factory=Annotations)

    @property
    def vectors_in_time(self) -> Vectors:
        """(H, W, 2) pixels that each point moves by as time passes."""
        assert self.result.flow is not None
        vectors = self.result.flow.vectors
        return vectors if self.result.pair.forward else -vectors

    def coloured(self, values: Map, low: float, high: float) -> Image:
        """Return a picture of a map in the run's colours."""
        return colour_map(values, low, high, self.result.pair.reference.grey, self.style.colours)

    def legend(self, ticks: tuple[str, str, str], *titles: str) -> None:
        """Say what the colours mean."""
        self.text.legend = ColourBar(ramp(self.style.colours), ticks, titles)

    def nothing(self, why: str) -> Image:
        """Return the dim frame with the reason why there is nothing to see."""
        self.text.caption(why, ORANGE)
        return dimmed(self.result.pair.reference.grey)
