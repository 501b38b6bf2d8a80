"""Progress on stderr: a live bar on a terminal, a plain line now and then elsewhere, records for a parent."""

from __future__ import annotations

import json
import sys
import time
from argparse import Namespace
from pathlib import PurePath
from types import TracebackType

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Column

from sources import Source
from streamflow.rate import Rate
from streamflow.values import Health, Result, SourceInfo

PLAIN_SECONDS = 5.0  # between two plain lines
WARM_UP = 3  # pairs that also load machine code: how long they take does not tell how long the rest will
NAME_WIDTH = 24  # characters of a terminal's line
TASK_SECONDS = 0.25  # between two records
MARK = "\x1e"  # begins a record, as in RFC 7464; anything else on stderr is for the user


def progress_of(source: Source, console: Console, arguments: Namespace) -> RunProgress:
    """Return the progress for a user; of one task of many, for the process that waits for it."""
    kind = RunProgress if arguments.batch is None else TaskProgress
    return kind(source.info, source.health, console, quiet=arguments.quiet)


def tell(**record: object) -> None:
    """Send a record to the process that waits for this one."""
    print(MARK + json.dumps(record), file=sys.stderr, flush=True)


class RunProgress:
    """Shows how far a run is: pairs, rate, time left, and what the camera does."""

    def __init__(self, info: SourceInfo, health: Health, console: Console, *, quiet: bool) -> None:
        self._health, self._console = health, console
        self._name = PurePath(info.name).name or info.name  # where it lies, its user knows
        self._pairs = max(info.length - 1, 0) if info.length else None
        self._quiet = quiet
        self._done = 0
        self._rate = Rate()
        self._started = self._last_line = time.monotonic()
        self._bar: Progress | None = None

    def __enter__(self) -> RunProgress:
        if self._console.is_terminal and not self._quiet:
            name = Column(max_width=NAME_WIDTH, no_wrap=True, overflow="ellipsis")
            self._bar = Progress(
                TextColumn("[bold]{task.description}", table_column=name),
                BarColumn(None, table_column=Column(ratio=1, min_width=4)),
                TextColumn("{task.fields[words]}"),
                console=self._console,
                expand=True,
            )
            self._bar.start()
            self._task = self._bar.add_task(escape(self._name), total=self._pairs, words="")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def advance(self, result: Result) -> None:
        """Count one pair."""
        self._done += 1
        if self._done >= WARM_UP:
            self._rate.count()
        self._show(result)

    def _show(self, result: Result) -> None:
        if self._bar is not None:
            self._bar.update(self._task, advance=1, words=self._words(result))
        elif not self._quiet and time.monotonic() - self._last_line > PLAIN_SECONDS:
            self._last_line = time.monotonic()
            line = f"{self._name}: {self._words(result)}"
            self._console.print(line, highlight=False, markup=False, soft_wrap=True)

    def _words(self, result: Result) -> str:
        words = [f"{self._done}/{self._pairs} pairs" if self._pairs else f"{self._done} pairs"]
        rate = self._rate.per_second
        if rate is not None:
            words.append(f"{rate:.1f}/s" if rate >= 0.1 else f"{1 / rate:.0f} s each")
        if self._pairs is None or self._done >= self._pairs:
            words.append(f"{clock(time.monotonic() - self._started)} gone")
        elif rate is not None:
            words.append(f"{clock((self._pairs - self._done) / rate)} left")
        if result.motion is not None:
            words.append(str(result.motion.status))
        words += [
            f"{n} {what}" for n, what in ((self._health.dropped, "dropped"), (self._health.gaps, "gaps")) if n
        ]
        return ", ".join(words)


def clock(seconds: float) -> str:
    """m:ss, or h:mm:ss."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


class TaskProgress(RunProgress):
    """Sends what a bar elsewhere needs."""

    def __enter__(self) -> TaskProgress:
        tell(done=0, of=self._pairs)
        return self

    def _show(self, result: Result) -> None:
        if time.monotonic() - self._last_line > TASK_SECONDS:
            self._last_line = time.monotonic()
            tell(done=self._done, of=self._pairs)
