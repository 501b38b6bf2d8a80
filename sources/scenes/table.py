"""The table of scenes: one line each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sources.scenes.overlays import bonnet, letterbox, stamp
from sources.scenes.worlds import PASSERS_BY, TRAFFIC, Mover, Vector, road, street, wall
from streamflow.evaluation.scene import Surface
from streamflow.values import Image, Mask

STILL: Vector = (0, 0, 0)
AHEAD: Vector = (0, 0, 0.12)


@dataclass(frozen=True)
class Scene:
    """How the camera moves, and through what."""

    step: Vector = STILL  # world units a frame along (x, y, z)
    turn: Vector = STILL  # degrees a frame about (x, y, z)
    world: Callable[[int], list[Surface]] = street
    movers: tuple[Mover, ...] = ()
    overlay: Callable[[tuple[int, int], int], tuple[Image, Mask]] | None = None  # of (size, index)
    zoom: float = 0.0  # growth of the focal length a frame, of itself at first
    shot: int | None = None  # frames until a cut to another world
    shown: int = 1  # times that every picture is shown
    calibrated: bool = True  # whether the source tells the focal length


SCENES = {
    "forward": Scene(AHEAD),
    "backward": Scene((0, 0, -0.12)),
    "sideways": Scene((0.06, 0, 0)),
    "oblique": Scene((0.07, -0.01, 0.08)),
    "turning": Scene((0.02, 0, 0.12), (0.1, 0.4, -0.1)),
    "rotation": Scene(turn=(0.1, 0.5, 0.2)),
    "still": Scene(),
    "wall": Scene((0.03, 0, 0.06), world=wall),
    "traffic": Scene(AHEAD, world=road, movers=TRAFFIC),
    "crossing": Scene(world=road, movers=PASSERS_BY),
    "bonnet": Scene(AHEAD, overlay=bonnet),
    "stamp": Scene(AHEAD, overlay=stamp),
    "letterbox": Scene(AHEAD, overlay=letterbox),
    "pan": Scene(turn=(0, 0.5, 0), calibrated=False),
    "zoom": Scene(zoom=0.01, calibrated=False),
    "cuts": Scene((0.03, 0, 0.12), shot=8),
    "repeats": Scene(AHEAD, shown=2),
}
