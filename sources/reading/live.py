"""The reader thread of live sources: opens, reads, reconnects; the consumer never waits for ever."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain
from threading import Condition, Thread
from typing import Protocol

from sources.reading.spread import spread
from streamflow.errors import SourceError
from streamflow.values import Frame, Health, Image, SourceInfo

BACKOFF = (0.1, 0.2, 0.5, 1.0, 2.0)  # seconds before each attempt to reconnect; the last repeats
GIVE_UP = 30.0  # seconds without a frame after which a camera counts as gone
SLIP = 1  # seconds that a camera's clock may go back and still be the same clock
JOIN = 5.0  # seconds to wait for a thread that is to stop


class Disconnected(Exception):
    """The camera does not answer, or stopped; the message says how."""


@dataclass(frozen=True)
class Capture:
    """One image of a camera."""

    image: Image
    time: Fraction | None = None  # seconds on the camera's clock; None: its arrival is all there is
    gap: str = ""  # why it does not follow the one before it, if it does not
    damaged: bool = False


class Connection(Protocol):
    """One connection to a camera, used by the reader thread alone.

    Iterating raises `Disconnected` when the camera fails; it ends when a stream that is not live ends.
    """

    live: bool
    rate: Fraction | None

    def __iter__(self) -> Iterator[Capture]: ...

    def close(self) -> None:
        """Disconnect."""


class LiveSource:
    """What sources that are read by a `LiveReader` share; each says how to connect.

    Parameters
    ----------
    name, stem : str
        Of the source, for messages and for naming outputs.
    connect, every_frame, give_up, join
        As for `LiveReader`.
    """

    def __init__(
        self,
        name: str,
        stem: str,
        connect: Callable[[], Connection],
        *,
        every_frame: bool,
        give_up: float,
        join: float = JOIN,
    ) -> None:
        self.health = Health()
        self._reader = LiveReader(
            name, connect, self.health, every_frame=every_frame, give_up=give_up, join=join
        )
        try:
            first = self._reader.take()
            if first is None:
                raise SourceError(f"{name}: no frame can be decoded")
        except BaseException:
            self.close()
            raise
        self._frames: Iterator[Frame] = chain([first], self._reader)
        if not self._reader.live:  # a file: there is no hurry
            self._frames = spread(self._frames, self._reader.rate, self.health)
        self.info = SourceInfo(name, stem, live=self._reader.live, rate=self._reader.rate, size=first.size)

    def __iter__(self) -> Iterator[Frame]:
        return self._frames

    def close(self) -> None:
        """Disconnect; returns after the timeouts at the latest."""
        self._reader.close()


class LiveReader:
    """Frames of a camera, read by a thread of its own.

    The newest frame wins: what the consumer is too slow for is dropped and counted, so that what it sees is
    never old. With `every_frame` the camera waits instead.

    Parameters
    ----------
    name : str
        Of the camera, for messages.
    connect : callable
        Opens a `Connection`, or raises `Disconnected`; has a timeout of its own.
    health : Health
        Written by the thread.
    every_frame : bool
        Block rather than drop.
    give_up : float
        Seconds the consumer waits for a frame before it raises `SourceError`.
    join : float
        Seconds `close` waits for the thread at most: the timeouts of `connect` and of reading.
    """

    def __init__(
        self,
        name: str,
        connect: Callable[[], Connection],
        health: Health,
        *,
        every_frame: bool = False,
        give_up: float = GIVE_UP,
        join: float = JOIN,
    ) -> None:
        self._name, self._connect, self._health = name, connect, health
        self._every_frame, self._give_up, self._join = every_frame, give_up, join
        self._changed = Condition()  # guards all that follows
        self._slot: Frame | None = None
        self._trouble: str | None = None  # the latest reason why there is no frame
        self._error: BaseException | None = None
        self._finished = False  # the thread has nothing more to give
        self._stopping = False
        self.live = True  # this and the rate are the connection's
        self.rate: Fraction | None = None
        self._thread = Thread(target=self._run, name=f"reader of {name}", daemon=True)
        self._thread.start()

    # The consumer's side

    def __iter__(self) -> Iterator[Frame]:
        while (frame := self.take()) is not None:
            yield frame

    def take(self) -> Frame | None:
        """The next frame, waiting for it; None at the end of the stream.

        Raises
        ------
        SourceError
            The camera was not there at the first attempt, or is gone for longer than `give_up`.
        """
        with self._changed:
            ready = self._changed.wait_for(self._has_news, self._give_up)
            frame, self._slot = self._slot, None
            self._health.next_is_late = not self._finished
            self._changed.notify_all()
            if frame is None and self._error is not None:
                raise SourceError(f"{self._name}: {self._error}") from self._error
            if frame is None and not ready:
                why = self._trouble or "no answer"
                raise SourceError(f"{self._name}: no frame for {self._give_up:g} s ({why})")
            return frame

    def _has_news(self) -> bool:
        return self._slot is not None or self._finished or self._stopping

    def close(self) -> None:
        """Stop the thread; returns after the read timeout at the latest."""
        with self._changed:
            self._stopping = True
            self._slot = None
            self._changed.notify_all()
        self._thread.join(self._join)

    # The thread's side

    def _run(self) -> None:
        try:
            self._stay_connected()
        except BaseException as error:
            self._error = error  # raised again by the consumer
        finally:
            with self._changed:
                self._finished, self._health.next_is_late = True, False
                self._changed.notify_all()

    def _stay_connected(self) -> None:
        clock = ArrivalClock()
        index, failures, gap = 0, 0, ""
        shape: tuple[int, ...] | None = None
        while not self._stopping:
            try:
                with closing(self._connect()) as connection:
                    self.live, self.rate = connection.live, connection.rate
                    clock.restart(connection.rate)
                    for capture in connection:
                        gap = gap or capture.gap
                        if shape not in (None, capture.image.shape):
                            gap = gap or "the size changes"
                        shape = capture.image.shape
                        taken = clock.time(capture.time)
                        self._offer(Frame(index, capture.image, taken, gap or None, damaged=capture.damaged))
                        index, failures, gap = index + 1, 0, ""
                        if self._stopping:
                            return
                    if not connection.live:
                        return
                    raise Disconnected("the camera ended the stream")
            except Disconnected as error:
                if index == 0 or not self.live:
                    raise  # never was there, or would start again from its first frame
                gap = f"reconnected: {error}"
                self._health.note(f"after frame {index - 1}: {error}")
                self._pause(str(error), BACKOFF[min(failures, len(BACKOFF) - 1)])
                failures += 1

    def _offer(self, frame: Frame) -> None:
        """Put `frame` where the consumer takes it."""
        self._health.decoded += 1
        self._health.gaps += frame.gap is not None
        with self._changed:
            if self._every_frame or not self.live:
                self._changed.wait_for(lambda: self._slot is None or self._stopping)
            elif self._slot is not None:
                self._health.dropped += 1
                frame = replace(frame, gap=frame.gap or self._slot.gap)
            self._slot, self._trouble = frame, None
            self._health.next_is_late = False
            self._changed.notify_all()

    def _pause(self, trouble: str, seconds: float) -> None:
        """Wait before the next attempt, unless the consumer closes."""
        with self._changed:
            self._trouble = trouble
            self._changed.wait_for(lambda: self._stopping, seconds)


class ArrivalClock:
    """Time of live frames in seconds since the first one, always rising, through every reconnection.

    A camera's own clock is more even than arrival; it starts anew with each connection, and whenever it
    goes back by more than `SLIP`. Frames that it stamps alike are half an interval apart: the next may
    follow at the nominal rate.
    """

    def __init__(self) -> None:
        self._start = time.monotonic_ns()
        self._origin: Fraction | None = None  # arrival minus camera's clock
        self._last = Fraction(0)
        self._half = Fraction(1, 60)  # seconds

    def restart(self, rate: Fraction | None = None) -> None:
        """A new connection: the camera's clock may have any other origin."""
        self._origin = None
        if rate:
            self._half = 1 / (2 * rate)

    def time(self, taken: Fraction | None) -> Fraction:
        """When a frame that arrives now was taken, by the camera's clock if that is given."""
        now = Fraction(time.monotonic_ns() - self._start, 10**9)
        if taken is not None:
            if self._origin is None or taken + self._origin < self._last - SLIP:
                self._origin = max(now, self._last + self._half) - taken
            now = taken + self._origin
        self._last = now if now > self._last else self._last + self._half
        return self._last
