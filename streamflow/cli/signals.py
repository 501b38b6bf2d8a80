"""Ctrl-C and SIGTERM: the first lets everything be finished and closed, the second ends at once."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Iterator
from types import FrameType, TracebackType
from typing import TypeVar

from streamflow.options import Knobs

T = TypeVar("T")


class Interrupted(BaseException):
    """Raised out of a source that is being waited for; never seen outside this module."""


class Interruptible:
    """Context in which a signal ends `frames` after the item at hand.

    What has been taken from the source is computed and written before the program ends. A source that is
    being waited for is left at once, however long it would stay silent.

    One task of many gets the same signal from its parent and, as Slurm does it, from outside: there
    `more_end_at_once` is off, and the parent kills what is to end at once.
    """

    def __init__(self, knobs: Knobs, *, more_end_at_once: bool = True) -> None:
        self._knobs, self._more_end_at_once = knobs, more_end_at_once
        self.received: int | None = None  # signal number
        self._waiting = False
        self._opening = False

    def __enter__(self) -> Interruptible:
        self._before = {
            number: signal.signal(number, self._handle) for number in (signal.SIGINT, signal.SIGTERM)
        }
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def opened(self, open_it: Callable[[], T]) -> T:
        """Return what `open_it` opens; a signal ends the program at once, for nothing has begun."""
        try:
            self._opening = True
            return open_it()
        finally:
            self._opening = False

    def frames(self, source: Iterable[T]) -> Iterator[T]:
        """Yield what `source` yields until a signal comes."""
        iterator = iter(source)
        while (item := self.unless_ended(lambda: next(iterator, None))) is not None:
            yield item

    def unless_ended(self, work: Callable[[], T]) -> T | None:
        """Return what `work` returns; None if a signal came, which does not wait for it."""
        if self.received is not None:
            return None
        try:
            self._waiting = True
            return work()
        except Interrupted:
            return None
        finally:
            self._waiting = False

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        if self._opening:
            raise SystemExit(128 + number)
        if self.received is not None and self._more_end_at_once:
            raise KeyboardInterrupt
        if self.received is not None:
            return
        self.received = number
        self._knobs.stopping = True
        if self._waiting:
            raise Interrupted
