"""Several video files one after the other, on one time line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from sources.options import SourceOptions
from sources.reading.playlist import Item, continues, read_list
from sources.reading.selection import Selection
from sources.reading.spread import NOMINAL_RATE
from sources.video import VideoSource
from streamflow.errors import SourceError
from streamflow.values import Frame, Health


class JoinedSource:
    """Chapters of one recording, or the files of a list; of files that do not belong together each is a gap.

    Parameters
    ----------
    spec : str or sequence of str
        A list for ffmpeg's concat, or video files in order.
    """

    def __init__(self, spec: str | Sequence[str]) -> None:
        self._items = read_list(spec) if isinstance(spec, str) else [Item(path) for path in spec]
        for item in self._items:
            if not Path(item.path).is_file():
                raise SourceError(f"{item.path}: no such file")
        self.health = Health()
        self._current = self._open(self._items[0])
        first = self._current.info
        name = spec if isinstance(spec, str) else ", ".join(spec)
        stem = Path(spec if isinstance(spec, str) else spec[0]).stem
        files = tuple(item.path for item in self._items)
        self.info = replace(first, name=name, stem=stem, length=None, files=files)
        self._frames = self._read()

    def __iter__(self) -> Iterator[Frame]:
        return self._frames

    def close(self) -> None:
        """Release the file that is being read."""
        self._frames = iter(())
        self._current.close()

    def _open(self, item: Item) -> VideoSource | Selection:
        earlier = replace(self.health, notes=[*self.health.notes])
        source = VideoSource(item.path, health=self.health)
        if item.start is None and item.end is None:
            return source
        return Selection(source, SourceOptions(start=item.start, end=item.end), earlier)

    def _read(self) -> Iterator[Frame]:
        index, time = 0, None
        for i, item in enumerate(self._items):
            if i:
                self._current.close()
                self._current = self._open(item)
            gap = self._break(i)
            self.health.gaps += gap is not None
            step = 1 / (self._current.info.rate or NOMINAL_RATE)
            for frame in _moved(self._current, index, time, gap):
                yield frame
                assert frame.time is not None
                index, time = frame.index + 1, frame.time + step

    def _break(self, i: int) -> str | None:
        """Why the file `i` does not follow the one before it, if it does not."""
        if i == 0 or continues(self._items[i - 1].path, self._items[i].path):
            return None
        return f"another file: {Path(self._items[i].path).name}"


def _moved(source: Iterable[Frame], index: int, time: Fraction | None, gap: str | None) -> Iterator[Frame]:
    """The frames of `source` with the first at `index` and `time`, or at its own time if that is None."""
    first: Frame | None = None
    for frame in source:
        first = first or frame
        if frame.time is None or first.time is None:
            raise SourceError("a video without a clock cannot be joined with others")
        shown = frame.time if time is None else time + frame.time - first.time
        broken = frame.gap or (gap if frame is first else None)
        yield replace(frame, index=index + frame.index - first.index, time=shown, gap=broken)
