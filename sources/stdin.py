"""Video that is piped in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from queue import Queue
from threading import Thread

from sources.video import VideoSource
from streamflow.errors import SourceError
from streamflow.values import Frame

AHEAD = 2  # frames that wait to be taken

HINT = (
    "an mp4 with its index at the end cannot be read from a pipe: name the file, or pipe Matroska or MPEG-TS"
)


class StdinSource:
    """The frames of a stream on standard input, each as soon as it is there.

    They are read in a thread: a pipe may stay silent for ever, and a signal cannot get through to whoever
    waits inside FFmpeg. The thread is left behind when nobody wants more.

    Parameters
    ----------
    spec : str
        "-".
    fps, levels
        As for `VideoSource`.
    """

    def __init__(
        self, spec: str, *, fps: Fraction | None = None, levels: tuple[float, float] | None = None
    ) -> None:
        self._queue: Queue[VideoSource | Frame | BaseException | None] = Queue(AHEAD)
        self._closed = False
        Thread(target=self._run, args=(spec, fps, levels), name="reader of stdin", daemon=True).start()
        source = self._take()
        assert isinstance(source, VideoSource)
        self.health = source.health
        self.info = replace(source.info, length=None)

    def __iter__(self) -> Iterator[Frame]:
        while not self._closed and isinstance(frame := self._take(), Frame):
            yield frame

    def close(self) -> None:
        """End the stream."""
        self._closed = True

    def _take(self) -> VideoSource | Frame | None:
        item = self._queue.get()
        if isinstance(item, Frame):
            self.health.next_is_late = self._queue.empty()
        if isinstance(item, BaseException):
            self._closed = True
            raise item
        return item

    def _run(self, spec: str, fps: Fraction | None, levels: tuple[float, float] | None) -> None:
        try:
            source = VideoSource(spec, fps=fps, levels=levels)
            self._queue.put(source)
            for frame in source:
                self._queue.put(frame)
                source.health.next_is_late = False
            source.close()
            self._queue.put(None)
        except SourceError as error:
            self._queue.put(SourceError(f"{error}; {HINT}") if "partial file" in str(error) else error)
        except BaseException as error:
            self._queue.put(error)  # raised again by whoever takes it
