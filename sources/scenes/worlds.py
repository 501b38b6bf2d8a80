"""Worlds to move through, and boxes that move in them by themselves."""

from __future__ import annotations

from dataclasses import dataclass

from streamflow.evaluation.scene import Surface, box, rectangle

Vector = tuple[float, float, float]  # world units: x right, y down, z forward


@dataclass(frozen=True)
class Mover:
    """A box that moves by itself."""

    corner: Vector  # where its left top front corner is at first
    size: Vector
    velocity: Vector  # world units a frame
    seed: int
    colour: Vector = (1.0, 1.0, 1.0)  # BGR factors on the grey texture

    def surfaces(self) -> list[Surface]:
        """Return its faces where they are at first."""
        return box(self.corner, self.size, seed=self.seed, colour=self.colour)


def street(seed: int = 0) -> list[Surface]:
    """Build a ground, a wall at the end, two house fronts and four boxes."""
    fronts = [
        rectangle((-5, -4, -4), (0, 0, 28), (0, 5.5, 0), texel=0.03, seed=seed + 3, colour=(0.7, 0.8, 1.0)),
        rectangle((6, -4, -4), (0, 0, 28), (0, 5.5, 0), texel=0.03, seed=seed + 4, colour=(0.95, 0.85, 0.75)),
    ]
    return [
        rectangle((-40, 1.5, -8), (80, 0, 0), (0, 0, 40), texel=0.03, seed=seed + 1, colour=(0.8, 0.9, 0.85)),
        rectangle((-40, -20, 24), (80, 0, 0), (0, 22, 0), texel=0.06, seed=seed + 2, colour=(1.0, 0.9, 0.8)),
        *fronts,
        *box((-2.6, 0.1, 7), (1.2, 1.4, 1.0), seed=seed + 10, colour=(0.5, 0.6, 1.0)),
        *box((1.6, -0.5, 9), (1.4, 2.0, 1.2), seed=seed + 20, colour=(0.5, 1.0, 0.7)),
        *box((-0.6, 0.5, 13), (1.0, 1.0, 1.0), seed=seed + 30, colour=(0.5, 0.95, 1.0)),
        *box((3.4, -1.5, 15), (1.2, 3.0, 1.5), seed=seed + 40, colour=(1.0, 0.7, 0.9)),
    ]


def road(seed: int = 0) -> list[Surface]:
    """Build the street without the boxes that stand in the way, and with some at its sides."""
    parked = [
        *box((-4.6, 0.2, 8), (1.3, 1.3, 2.2), seed=seed + 10, colour=(0.5, 0.6, 1.0)),
        *box((4.2, 0.0, 12), (1.4, 1.5, 2.4), seed=seed + 20, colour=(0.5, 1.0, 0.7)),
        *box((-4.5, -0.4, 14), (1.2, 1.9, 2.6), seed=seed + 30, colour=(0.5, 0.95, 1.0)),
    ]
    return [*street(seed)[:4], *parked]


def wall(seed: int = 0) -> list[Surface]:
    """Build a single slanted plane."""
    return [rectangle((-30, -20, 2), (60, 0, 12), (0, 40, 4), texel=0.015, seed=seed + 5)]


TRAFFIC = (
    # A lorry that overtakes on the right, on a third of the picture.
    Mover((1.0, -2.6, -0.4), (2.4, 4.0, 6.0), (0, 0, 0.17), seed=50, colour=(0.9, 0.95, 1.0)),
    # A car ahead that is slower than the camera, one that comes towards it, one that crosses the road.
    Mover((-0.7, 0.2, 8.0), (1.5, 1.2, 2.0), (0, 0, 0.07), seed=60, colour=(1.0, 0.5, 0.5)),
    Mover((-2.9, 0.2, 18.0), (1.4, 1.2, 2.0), (0, 0, -0.15), seed=70, colour=(0.5, 0.5, 1.0)),
    Mover((1.9, -0.2, 20.5), (1.6, 1.7, 1.0), (-0.08, 0, 0), seed=80, colour=(0.6, 1.0, 0.9)),
)
PASSERS_BY = (
    Mover((-3.4, -0.3, 6.0), (1.3, 1.7, 0.8), (0.09, 0, 0), seed=50, colour=(1.0, 0.6, 0.5)),
    Mover((3.6, 0.0, 10.0), (1.7, 1.4, 1.0), (-0.12, 0, 0), seed=60, colour=(0.5, 0.6, 1.0)),
)
