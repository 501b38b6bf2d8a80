"""The annotated picture of a result: one panel a view, or several in a grid."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import cv2
import numpy as np

from streamflow.draw.arrows import draw_arrows
from streamflow.draw.colours import ORANGE, RED, colour_map, dimmed
from streamflow.draw.confidence import confidence
from streamflow.draw.fill import fill_holes
from streamflow.draw.grid import tile
from streamflow.draw.heading import draw_epipole, draw_inliers, draw_trace
from streamflow.draw.looming import draw_looming
from streamflow.draw.planes import draw_plane
from streamflow.draw.ranges import AdaptiveRange
from streamflow.draw.text import caption, legend
from streamflow.geometry.epipole import bearing, pixel
from streamflow.motion.smoothing import MotionFilter
from streamflow.options import Knobs
from streamflow.stages import ALL_VIEWS
from streamflow.values import Image, Map, Matrix, Motion, Result, Status

TRACE_SECONDS = 1.0
TRACE_FRAMES = 25  # when the stream has no clock


@dataclass
class Painter:
    """Draws results; remembers what must not flicker from one to the next."""

    knobs: Knobs
    panels: tuple[str, ...] = ("depth",)  # what "all" shows
    view: str = ALL_VIEWS  # one of `panels`, any of VIEWS, or "all"
    limits: tuple[float, float] | None = None  # fixed depth range (near, far), in the depth's unit
    fill: bool = False  # close the holes of the depth, in the picture only
    _ranges: dict[str, AdaptiveRange] = field(default_factory=dict, init=False)
    _filter: MotionFilter = field(default_factory=MotionFilter, init=False)
    _motion: Motion | None = field(default=None, init=False)  # of the result at hand, smoothed over time
    _trace: deque[tuple[float, Matrix]] = field(default_factory=deque, init=False)
    _drawn: tuple[Result, str, float, Image] | None = field(default=None, init=False)

    def draw(self, result: Result) -> Image:
        """(H', W', 3) uint8 BGR; drawing the same result again returns the same picture."""
        key = result, self.view, self.knobs.threshmin
        if self._drawn is None or self._drawn[0] is not result or self._drawn[1:3] != key[1:]:
            if self._drawn is None or self._drawn[0] is not result:
                self._remember(result)
            names = self.panels if self.view == ALL_VIEWS else (self.view,)
            self._drawn = *key, tile([self._panel(name, result) for name in names])
        return self._drawn[3]

    def _remember(self, result: Result) -> None:
        """Start afresh after a gap; smooth the motion; keep the epipole of the last second."""
        if result.pair.fresh:
            self._ranges.clear()
            self._trace.clear()
            self._filter.reset()
        motion = result.motion
        self._motion = self._filter.update(motion, result.camera_matrix) if motion else None
        frame = result.pair.reference
        now = float(frame.time) if frame.time is not None else frame.index * TRACE_SECONDS / TRACE_FRAMES
        translation = self._motion.translation if self._motion else None
        point = None if translation is None else pixel(translation.epipole, result.camera_matrix)
        if point is not None:
            self._trace.append((now, point))
        while self._trace and self._trace[0][0] < now - TRACE_SECONDS:
            self._trace.popleft()

    def _panel(self, name: str, result: Result) -> Image:
        draw = {
            "flow": self._flow, "confidence": self._confidence, "epipole": self._epipole,
            "depth": self._depth, "ttc": self._contact, "planes": self._planes,
        }[name]  # fmt: skip
        picture = draw(result)
        for looming in result.looming or ():
            draw_looming(picture, looming)
        if result.pair.damaged:
            caption(picture, f"{name}  {_when(result)}  damaged picture", colour=RED)
        else:
            caption(picture, f"{name}  {_when(result)}")
        return picture

    def _range(self, name: str, values: Map, fixed: tuple[float, float] | None = None) -> tuple[float, float]:
        return self._ranges.setdefault(name, AdaptiveRange(fixed)).update(values)

    def _flow(self, result: Result) -> Image:
        picture = dimmed(result.pair.reference.grey)
        if result.flow is None:
            return picture
        vectors = result.flow.vectors if result.pair.forward else -result.flow.vectors
        speed = np.hypot(vectors[..., 0], vectors[..., 1])
        evident = np.where(result.flow.smin >= self.knobs.threshmin, speed, np.nan)
        _, fastest = self._range("flow", evident)
        draw_arrows(picture, vectors, result.flow.smin, self.knobs.threshmin, fastest)
        caption(picture, f"fastest {fastest:.1f} px/frame, smin >= {self.knobs.threshmin:g}", -1)
        return picture

    def _confidence(self, result: Result) -> Image:
        frame = result.pair.reference
        if result.flow is None:
            return dimmed(frame.grey)
        # Bright is confident: the logarithm of the error, downwards.
        logarithm = -np.log10(np.maximum(result.flow.sigma, 1e-3))
        evident = np.where(result.flow.smin >= self.knobs.threshmin, logarithm, np.nan)
        low, high = self._range("confidence", logarithm)
        picture = colour_map(evident, low, high, frame.grey)
        legend(picture, f"{10**-low:.2g}", f"{10**-high:.2g}", "predicted error, px")
        return picture

    def _epipole(self, result: Result) -> Image:
        picture = result.pair.reference.image.copy()
        if result.motion is not None and self._motion is not None:
            draw_inliers(picture, result.motion)
            draw_trace(picture, [point for _, point in self._trace])
            draw_epipole(picture, self._motion, result.camera_matrix)
            _status(picture, result, self._motion)
        return picture

    def _depth(self, result: Result) -> Image:
        frame = result.pair.reference
        if result.depth is None or not np.isfinite(result.depth.inverse).any():
            return self._without(result, "no depth")
        near_far = self.limits and (1 / self.limits[1], 1 / self.limits[0])
        low, high = self._range("depth", result.depth.inverse, near_far)
        shown = result.depth.inverse
        if self.fill:
            shown = fill_holes(shown, confidence(result.depth))
        picture = colour_map(shown, low, high, frame.grey)
        unit = {"m": "m", "steps": "camera steps"}[result.depth.unit]
        legend(picture, _reciprocal(low), _reciprocal(high), f"depth, {unit}")
        if self._motion is not None:
            draw_epipole(picture, self._motion, result.camera_matrix)
        return picture

    def _contact(self, result: Result) -> Image:
        frame = result.pair.reference
        contact = None if result.depth is None else result.depth.time_to_contact
        if result.depth is None or contact is None or not np.isfinite(contact).any():
            return self._without(result, "no time to contact")
        approached = np.where(contact > 0, contact, np.nan)
        rate = 1 / np.maximum(approached, 1e-3)
        low, high = self._range("ttc", rate)
        picture = colour_map(rate, low, high, frame.grey)
        legend(picture, _reciprocal(low), _reciprocal(high), f"time to contact, {result.depth.contact_unit}")
        return picture

    def _planes(self, result: Result) -> Image:
        picture = result.pair.reference.image.copy()
        for plane in result.planes or ():
            draw_plane(picture, plane, result.camera_matrix)
        return picture

    def _without(self, result: Result, what: str) -> Image:
        """Draw the frame with the reason there is nothing to see."""
        picture = dimmed(result.pair.reference.grey)
        reason = f": {result.motion.status}" if result.motion else ""
        caption(picture, what + reason, 1, ORANGE)
        return picture


def _when(result: Result) -> str:
    frame = result.pair.reference
    return f"{float(frame.time):.2f} s" if frame.time is not None else f"frame {frame.index}"


def _reciprocal(value: float) -> str:
    return f"{1 / value:.3g}" if value > 1e-6 else "inf"


def _where(epipole: Matrix, camera_matrix: Matrix) -> str:
    point = pixel(epipole, camera_matrix)
    if point is None:
        return f"sideways, {np.degrees(bearing(epipole, camera_matrix)):.0f} deg"
    return f"{'towards' if epipole[2] > 0 else 'away from'} ({point[0]:.0f}, {point[1]:.0f})"


def _status(picture: Image, result: Result, motion: Motion) -> None:
    words = str(motion.status)
    if motion.translation is not None:
        words += (
            f", {_where(motion.translation.epipole, result.camera_matrix)}, {motion.inlier_share:.0%} inliers"
        )
    caption(picture, words, 1, ORANGE if motion.status in (Status.MOVING, Status.STATIC) else RED)
    if motion.rotation is not None:
        degrees = float(np.degrees(np.linalg.norm(cv2.Rodrigues(motion.rotation)[0])))
        seconds = result.pair.interval
        rate = f"{degrees:.2f} deg/frame" if seconds is None else f"{degrees / float(seconds):.1f} deg/s"
        caption(picture, f"turning {rate}", 2)
