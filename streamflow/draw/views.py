"""The views: what a picture can show. Help text, painter, window and web page follow from this table."""

from __future__ import annotations

from dataclasses import dataclass
from pkgutil import resolve_name
from typing import TYPE_CHECKING

from streamflow.stages import Stage

if TYPE_CHECKING:
    from collections.abc import Callable

    from streamflow.draw.panel import Panel
    from streamflow.values import Image, Result


@dataclass(frozen=True)
class View:
    """One view: the stage whose values it shows, and the function that draws it."""

    stage: Stage | None  # None: the frame is enough
    target: str  # "module:function", imported on first use
    help: str

    def load(self) -> Callable[[Panel], Image]:
        """Import the function that draws a panel of this view."""
        draw: Callable[[Panel], Image] = resolve_name(f"streamflow.draw.{self.target}")
        return draw


VIEWS: dict[str, View] = {
    "image": View(None, "image:draw_image", "the frame itself"),
    "flow": View(Stage.FLOW, "arrows:draw_flow", "arrows where smin reaches --threshmin"),
    "colour": View(Stage.FLOW, "wheel:draw_colour", "dense flow on Middlebury's colour wheel"),
    "derivatives": View(None, "gradients:draw_derivatives", "Ix, Iy and It beside each other"),
    "confidence": View(Stage.FLOW, "maps:draw_confidence", "predicted error of the flow"),
    "epipole": View(Stage.MOTION, "heading:draw_heading", "where the camera is heading"),
    "moving": View(Stage.MOVING, "moving:draw_moving", "what moves by itself"),
    "depth": View(Stage.DEPTH, "maps:draw_depth", "near is bright"),
    "ttc": View(Stage.DEPTH, "maps:draw_contact", "time to contact"),
    "planes": View(Stage.PLANES, "planes:draw_planes", "planar parts with their normals"),
}
ALL_VIEWS = "all"  # those that were asked for, in one picture
FIELDS = {
    Stage.FLOW: "flow",
    Stage.MOTION: "motion",
    Stage.MOVING: "objects",
    Stage.DEPTH: "depth",
    Stage.PLANES: "planes",
}

COLOURS = ("viridis", "inferno", "magma", "plasma", "cividis", "turbo", "grey")


def available(result: Result) -> list[str]:
    """Names of the views whose values were computed."""
    return [
        name
        for name, view in VIEWS.items()
        if view.stage is None or getattr(result, FIELDS[view.stage]) is not None
    ]
