"""What somebody who looks at a run may do."""

from __future__ import annotations

import time
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import cv2

from sinks.writing.files import write_whole
from streamflow.draw.notice import with_notice
from streamflow.draw.views import ALL_VIEWS, available

if TYPE_CHECKING:
    from sinks import Run
    from streamflow.values import Image, Result

NOTICE_SECONDS = 1.5


class Viewer:
    """The view and the pause are this viewer's own; the threshold is the run's."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._painter = run.painter
        self._notice: tuple[str, ...] = ()
        self._notice_ends = 0.0
        self.paused = False
        self.stepping = False  # the next picture comes, and the run pauses again

    @property
    def view(self) -> str:
        """What is shown."""
        return self._painter.view

    @property
    def waits(self) -> bool:
        """Whether the run is to wait with the next picture."""
        return self.paused and not self.stepping and not self._run.knobs.stopping

    @property
    def notice_is_over(self) -> bool:
        """Whether a notice is shown whose time is over."""
        return bool(self._notice) and time.monotonic() > self._notice_ends

    def picture(self, result: Result) -> Image:
        """Return what the viewer sees."""
        if self.notice_is_over:
            self._notice = ()
        return with_notice(self._painter.draw(result), self._notice)

    def tell(self, *lines: str, seconds: float = NOTICE_SECONDS) -> None:
        """Show some words on the picture for a while."""
        self._notice, self._notice_ends = lines, time.monotonic() + seconds

    def pause(self) -> None:
        """Pause, or go on."""
        self.paused = not self.paused

    def step(self) -> None:
        """Let one picture come, and pause."""
        self.paused = self.stepping = True

    def turn_threshold(self, step: float) -> None:
        """Raise or lower the smallest smin that counts as evidence, and say so on the picture."""
        self.set_threshold(self._run.knobs.threshmin + step)
        self.tell(f"smin ≥ {self._run.knobs.threshmin:g}")

    def set_threshold(self, threshmin: float) -> None:
        """Change the smallest smin that counts as evidence."""
        self._run.knobs.threshmin = max(0.0, threshmin)

    def views(self, result: Result) -> list[str]:
        """Names of what can be shown."""
        return [ALL_VIEWS, *available(result)]

    def next_view(self, result: Result) -> None:
        """Show the view after this one."""
        views = self.views(result)
        self.set_view(views[(views.index(self.view) + 1) % len(views)] if self.view in views else ALL_VIEWS)

    def set_view(self, view: str) -> None:
        """Change the view of this viewer only: the other outputs keep the painter they share."""
        if self._painter is self._run.painter:
            self._painter = self._painter.copy()
        self._painter.view = view

    def snapshot(self, result: Result) -> tuple[str, bytes]:
        """Return the picture as PNG, and a name for it."""
        name = f"{self._run.source.stem}_{result.pair.newest.index:06d}_{self.view}.png"
        return name, cv2.imencode(".png", self._painter.draw(result))[1].tobytes()

    def save(self, result: Result) -> Path:
        """Save the picture in the current folder, under a name that is not taken."""
        name, png = self.snapshot(result)
        stem = name.removesuffix(".png")
        names = (Path(f"{stem}{number or ''}.png") for number in count())
        path = next(path for path in names if not path.exists())
        write_whole(path, png)
        self.tell(f"saved {path}")
        return path
