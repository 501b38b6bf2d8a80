"""How long a viewer waits with the next picture."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sinks.writing.clock import Clock

if TYPE_CHECKING:
    from sinks import Run
    from streamflow.values import Frame


class Pace:
    """The stream's own time; a run that is slower shows every picture as soon as it is there."""

    def __init__(self, run: Run) -> None:
        self._clock = Clock(run.source) if run.realtime else None
        self._begun: float | None = None  # when the stream's time was zero

    def seconds_until(self, frame: Frame) -> float:
        """How long to wait before the next picture, 0 where the run does not follow the stream's time."""
        if self._clock is None:
            return 0.0
        now, at = time.monotonic(), float(self._clock.time(frame))
        if self._begun is None or now > self._begun + at:  # late: do not hurry to make up for it
            self._begun = now - at
        return self._begun + at - now
