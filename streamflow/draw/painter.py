"""The annotated picture of a result."""

from __future__ import annotations

from dataclasses import dataclass

from streamflow.values import Image, Result

VIEWS = ("depth", "ttc", "flow", "confidence", "epipole", "planes", "all")


@dataclass
class Painter:
    """Draws results; remembers what must not flicker from one to the next."""

    view: str = "depth"

    def draw(self, result: Result) -> Image:
        """(H', W', 3) uint8 BGR; the same picture object if the same result is drawn twice."""
        return result.pair.reference.image
