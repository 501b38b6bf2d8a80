"""Writing behind: results are written in a thread while the next ones are computed.

Reading ahead in the same way was measured and left out: the decoder has threads of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from queue import Empty, Queue
from threading import Thread
from typing import Generic, TypeVar

T = TypeVar("T")

DEPTH = 1  # items that wait; more would not be faster, and a result is large
PATIENCE = 2.0  # seconds for a thread that is told to stop, before it is left to die with the program


class End:
    """Put in the queue when nothing more is to come."""


class WriteBehind(Generic[T]):
    """Calls `write` with one item after the other, in order, in a thread.

    After an error nothing more is written; it is raised, once and as it was, by the next `put` or by
    `finish`. One of `finish` and `abandon` must be called; after it the thread has ended.
    """

    def __init__(self, write: Callable[[T], None]) -> None:
        self._write = write
        self._queue: Queue[T | End] = Queue(DEPTH)
        self._error: BaseException | None = None
        self._thread = Thread(target=self._run, name="writing behind", daemon=True)
        self._thread.start()

    def put(self, item: T) -> None:
        """Have `item` written; waits while others do."""
        self._raise_error()
        self._queue.put(item)

    def finish(self) -> None:
        """Wait until everything is written."""
        self._queue.put(End())
        self._thread.join()
        self._raise_error()

    def abandon(self) -> bool:
        """Write nothing more; return whether the thread has ended: one that is blocked has not."""
        with suppress(Empty):
            while True:
                self._queue.get_nowait()
        self._queue.put(End())
        self._thread.join(PATIENCE)
        return not self._thread.is_alive()

    def _raise_error(self) -> None:
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def _run(self) -> None:
        failed = False
        while not isinstance(item := self._queue.get(), End):
            if not failed:
                try:
                    self._write(item)
                except BaseException as error:
                    self._error, failed = error, True
