"""What FFmpeg says while it reads: the only sign of some kinds of damage."""

from __future__ import annotations

import logging
import re
from threading import Lock
from typing import ClassVar

import av.logging

# Said of healthy files too.
HARMLESS = re.compile(
    r"deprecated pixel format|Increasing reorder buffer|edit list|chapter track|detected only with low score"
    r"|unable to decode APP fields|analyzeduration|Estimating duration|skipping unsupported chunk"
)


class FfmpegLog(logging.Handler):
    """Collects warnings and errors until closed.

    FFmpeg's log is one for the whole process, so each line comes with the name of the demuxer or codec that
    said it.
    """

    _logger: ClassVar = logging.getLogger("libav")
    _listening: ClassVar[set[FfmpegLog]] = set()
    _door: ClassVar = Lock()  # streams are opened and closed in several threads

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._lines: list[tuple[str, str]] = []
        self._logger.propagate = False
        self._logger.addHandler(self)
        with self._door:
            self._listening.add(self)
            av.logging.set_skip_repeated(False)  # a line that repeats is another damaged packet
            av.logging.set_level(av.logging.WARNING)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one line; called by `logging`, from whichever thread decodes."""
        if not HARMLESS.search(record.getMessage()):
            self._lines.append((record.name.removeprefix("libav."), record.getMessage().strip()))

    def take(self) -> list[tuple[str, str]]:
        """(who, what) was said since the last call."""
        lines, self._lines = self._lines, []
        return lines

    def close(self) -> None:
        """Stop listening; the last one leaves FFmpeg silent, as it was."""
        super().close()
        self._logger.removeHandler(self)
        with self._door:
            self._listening.discard(self)
            if not self._listening:
                av.logging.set_level(None)
