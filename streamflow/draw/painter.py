"""The annotated picture of a result: one panel a view, or several in a grid."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from streamflow.draw.colours import RED, WHITE
from streamflow.draw.excluded import draw_excluded
from streamflow.draw.grid import tile
from streamflow.draw.looming import draw_looming
from streamflow.draw.numbers import when
from streamflow.draw.panel import Panel, Style
from streamflow.draw.ranges import Ranges
from streamflow.draw.views import ALL_VIEWS, VIEWS
from streamflow.geometry.epipole import pixel
from streamflow.options import Knobs
from streamflow.values import Image, Matrix, Result

HATCHED = frozenset(VIEWS) - {"image", "derivatives"}  # views that tell the scene from what is not
TRACE_SECONDS = 1.0
TRACE_FRAMES = 25  # when the stream has no clock


@dataclass
class Painter:
    """Draws results; remembers what must not flicker from one to the next."""

    knobs: Knobs
    style: Style = field(default_factory=Style)
    view: str = ALL_VIEWS  # one view, or those of the style
    _segment: int = field(default=0, init=False)  # of the last result
    _ranges: Ranges = field(default_factory=Ranges, init=False)
    _trace: deque[tuple[float, Matrix]] = field(default_factory=deque, init=False)
    _drawn: tuple[Result, str, float, Image] | None = field(default=None, init=False)

    def draw(self, result: Result) -> Image:
        """(H', W', 3) uint8 BGR; drawing the same result again returns the same picture."""
        seen = self._drawn is not None and self._drawn[0] is result
        if not seen:
            self._remember(result)
        key = self.view, self.knobs.threshmin
        if self._drawn is None or not seen or self._drawn[1:3] != key:
            views = self.style.views if self.view == ALL_VIEWS else (self.view,)
            self._drawn = result, *key, tile([self._panel(view, result) for view in views])
        return self._drawn[3]

    def copy(self) -> Painter:
        """Return a painter for another viewer, who may look at another view."""
        return Painter(self.knobs, self.style, self.view)

    def _remember(self, result: Result) -> None:
        """Start afresh in another segment (of which this need not be the first); keep a second's epipoles."""
        if result.segment != self._segment:
            self._segment = result.segment
            self._ranges.clear()
            self._trace.clear()
        frame = result.pair.reference
        now = float(frame.time) if frame.time is not None else frame.index * TRACE_SECONDS / TRACE_FRAMES
        translation = result.smoothed.translation if result.smoothed else None
        point = None if translation is None else pixel(translation.epipole, result.camera_matrix)
        if point is not None:
            self._trace.append((now, point))
        while self._trace and self._trace[0][0] < now - TRACE_SECONDS:
            self._trace.popleft()

    def _panel(self, view: str, result: Result) -> Image:
        trace = [point for _, point in self._trace]
        panel = Panel(result, self.style, self.knobs.threshmin, self._ranges, trace)
        words = [view, when(result.pair.reference)]
        if result.starts_segment not in (None, "start"):
            words.append(f"new segment: {result.starts_segment}")
        if result.pair.damaged:
            words.append("damaged picture")
        panel.text.caption("  ".join(words), RED if len(words) > 2 else WHITE)
        picture = VIEWS[view].load()(panel)
        excluded = None if result.flow is None else result.flow.excluded
        if not self.style.clean:
            if excluded is not None and view in HATCHED:
                draw_excluded(picture, excluded)
            for looming in result.looming or ():
                draw_looming(picture, looming, panel.text)
            panel.text.draw(picture)
        return picture


def draw(result: Result, view: str = "depth", style: Style | None = None) -> Image:
    """Return the picture of one view of one result, (H', W', 3) uint8 BGR."""
    threshmin = result.flow.threshmin if result.flow is not None else 0.0
    return Painter(Knobs(threshmin), style or Style(), view).draw(result)
