"""How often something happens."""

from __future__ import annotations

import time
from collections import deque

AVERAGED = 30


class Rate:
    """Times a second, averaged over the last `AVERAGED` times: what came before the first says nothing."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=AVERAGED + 1)

    def count(self) -> None:
        """Say that it happened."""
        self._times.append(time.monotonic())

    @property
    def per_second(self) -> float | None:
        """The rate until now; None before the second time."""
        if len(self._times) < 2:
            return None
        return (len(self._times) - 1) / max(time.monotonic() - self._times[0], 1e-9)
