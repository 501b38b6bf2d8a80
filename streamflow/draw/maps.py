"""Maps in colours: predicted error of the flow, depth, time to contact."""

from __future__ import annotations

import numpy as np

from streamflow.draw.heading import draw_epipole
from streamflow.draw.numbers import readable, reason, reciprocals
from streamflow.draw.panel import Panel
from streamflow.draw.ranges import inverse_limits
from streamflow.values import Depth, Image

DEPTH_TITLES = {
    "steps": ("depth in steps (a step: the camera's way between two frames)", "depth, steps"),
    "m": ("depth, m",),
}
CONTACT_TITLES = {"s": "time to contact, s", "frames": "time to contact, frames"}


def draw_confidence(panel: Panel) -> Image:
    """View `confidence`: bright is sure; where smin is below the threshold there is no evidence."""
    flow = panel.result.flow
    if flow is None:
        return panel.nothing("the flow was not computed")
    sureness = -np.log10(np.maximum(flow.sigma, 1e-3))
    low, high = panel.ranges.update("confidence", sureness)
    errors = (readable(10**-low), readable(10 ** (-(low + high) / 2)), readable(10**-high))
    panel.legend(errors, "predicted error of the flow, px", "error, px")
    return panel.coloured(np.where(flow.smin >= panel.threshmin, sureness, np.nan), low, high)


def draw_depth(panel: Panel) -> Image:
    """View `depth`, with the epipole."""
    result, depth = panel.result, panel.result.depth
    if depth is None or not np.isfinite(depth.inverse).any():
        return panel.nothing(f"no depth: {reason(result.motion)}")
    low, high = panel.ranges.update("depth", depth.inverse, inverse_limits(panel.style.limits))
    picture = panel.coloured(depth.inverse, low, high)
    panel.legend(reciprocals(low, high), *DEPTH_TITLES[depth.unit])
    if result.smoothed is not None and not panel.style.clean:
        draw_epipole(picture, result.smoothed, result.camera_matrix)
    return picture


def draw_contact(panel: Panel) -> Image:
    """View `ttc`: bright is soon."""
    depth = panel.result.depth
    if depth is None or not np.isfinite(depth.inverse).any():
        return panel.nothing(f"no time to contact: {reason(panel.result.motion)}")
    if depth.time_to_contact is None or not (depth.time_to_contact > 0).any():
        return panel.nothing(f"no time to contact: the camera moves {_away(depth)}")
    with np.errstate(invalid="ignore"):
        soon = np.where(depth.time_to_contact > 0, 1 / np.maximum(depth.time_to_contact, 1e-3), np.nan)
    low, high = panel.ranges.update("ttc", soon)
    panel.legend(reciprocals(low, high), CONTACT_TITLES[depth.contact_unit])
    return panel.coloured(soon, low, high)


def _away(depth: Depth) -> str:
    return "away" if depth.approach is not None and depth.approach < 0 else "sideways"
