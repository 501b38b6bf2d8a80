"""A run as anybody may look at it while it goes on: its newest picture, its state, and what may be turned."""

from __future__ import annotations

import math
import time
from collections import Counter
from dataclasses import replace
from threading import Condition, Lock
from typing import TYPE_CHECKING, Any

import cv2

from sinks.writing.viewer import Viewer
from streamflow.rate import Rate

if TYPE_CHECKING:
    from sinks import Run
    from streamflow.values import Result

ALONE = 15.0  # seconds after which a viewer of whom nothing is heard has gone: nobody is left to end a pause
LOOK = 0.1  # seconds between two looks at whether the run is to end
QUALITY = 85  # of the JPEG


class LiveView:
    """The run hands over its results and goes on; who looks has the newest drawn, in a thread of their own.

    So a viewer costs the run no more than the processor's time, and one who reads nothing not even that. A
    picture is drawn once for all who look, by a painter that is not the run's.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._viewer = Viewer(replace(run, painter=run.painter.copy()))
        self._drawing = Lock()  # taken before `_changed`, never after: the run does not wait for it
        self._changed = Condition()
        self._result: Result | None = None
        self._version = 0  # counts the pictures to be seen: other results, and other views of them
        self._jpeg = 0, b""  # version, data
        self._ended = self._closed = False
        self._seen = -math.inf
        self._statuses: Counter[str] = Counter()
        self._rate = Rate()

    def show(self, result: Result) -> None:
        """Let `result` be the newest."""
        with self._changed:
            self._viewer.stepping = False
            self._result = result
            self._rate.count()
            self._statuses[_status(result)] += 1
            self._renew()

    def wait(self, seconds: float) -> None:
        """Return after `seconds`, and not while somebody who looks has paused the run."""
        ends = time.monotonic() + seconds
        with self._changed:
            while not self._run.knobs.stopping:
                rest = LOOK if self._is_held else min(LOOK, ends - time.monotonic())
                if rest <= 0:
                    return
                self._changed.wait(rest)

    def end(self) -> None:
        """Say that nothing more will come."""
        with self._changed:
            self._ended = True
            self._renew()

    def close(self) -> None:
        """Draw nothing more: a thread that draws while the interpreter ends aborts the process."""
        with self._drawing:
            self._closed = True

    def is_looked_at(self, within: float) -> bool:
        """Whether anybody was heard of in the last seconds."""
        return time.monotonic() < self._seen + within

    def picture(self, after: int, seconds: float) -> tuple[int, bytes] | None:
        """Return (version, JPEG) of the newest picture, or None when nothing more will come.

        Waits for one that is newer than version `after`, `seconds` at most, but always for the first.
        """
        with self._changed:
            self._seen = time.monotonic()
            self._changed.wait_for(lambda: self._version > after, seconds)
            self._changed.wait_for(lambda: self._result is not None or self._ended)
            if self._result is None or (self._ended and self._version == after):
                return None
        with self._drawing:
            if self._closed:
                return None
            with self._changed:
                version, result = self._version, self._result
            if self._jpeg[0] != version:
                settings = (cv2.IMWRITE_JPEG_QUALITY, QUALITY)
                self._jpeg = (
                    version,
                    cv2.imencode(".jpg", self._viewer.picture(result), settings)[1].tobytes(),
                )
            return self._jpeg

    def snapshot(self) -> tuple[str, bytes] | None:
        """Return the name and the PNG of what is shown; None before the first picture."""
        with self._drawing:
            return None if self._result is None or self._closed else self._viewer.snapshot(self._result)

    def obey(self, *words: str) -> bool:
        """Do what a viewer asks for; return whether there is such a thing."""
        with self._drawing, self._changed:
            self._seen = time.monotonic()
            match words:
                case ["pause"]:
                    self._viewer.paused = True
                case ["go"]:
                    self._viewer.paused = False
                case ["step"]:
                    self._viewer.step()
                case ["view", view] if view in self._views:
                    self._viewer.set_view(view)
                case ["threshmin", number] if _is_number(number):
                    self._viewer.set_threshold(float(number))
                case _:
                    return False
            self._renew()
            return True

    def state(self) -> dict[str, Any]:
        """What a page tells."""
        with self._changed:
            self._seen = time.monotonic()
            return {
                "source": self._run.source.name,
                "ended": self._ended,
                "paused": self._viewer.paused,
                "view": self._viewer.view,
                "views": self._views,
                "threshmin": self._run.knobs.threshmin,
                "pairs": self._statuses.total(),
                "pairs_per_s": self._rate.per_second,
                "time_s": self._result and self._result.pair.newest.time,
                "status": self._result and _status(self._result),
                "statuses": self._statuses,
            }

    def _renew(self) -> None:
        self._version += 1
        self._changed.notify_all()

    @property
    def _is_held(self) -> bool:
        if not self.is_looked_at(ALONE):
            self._viewer.paused = False
        return self._viewer.waits

    @property
    def _views(self) -> list[str]:
        return [] if self._result is None else self._viewer.views(self._result)


def _status(result: Result) -> str:
    return "flow only" if result.motion is None else str(result.motion.status)


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
