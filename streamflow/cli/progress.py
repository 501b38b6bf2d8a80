"""Progress on stderr: a live bar on a terminal, a plain line now and then elsewhere, records for a parent."""

from __future__ import annotations

import json
import sys
import time
from argparse import Namespace
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from sources import Source
from streamflow.values import Health, Result, SourceInfo

PLAIN_SECONDS = 5.0  # between two plain lines
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
        self._info, self._health, self._console = info, health, console
        self._pairs = max(info.length - 1, 0) if info.length else None
        self._quiet = quiet
        self._done = 0
        self._started = self._last_line = time.monotonic()
        self._bar: Progress | None = None

    def __enter__(self) -> RunProgress:
        if self._console.is_terminal and not self._quiet:
            self._bar = Progress(
                TextColumn("[bold]{task.description}"), BarColumn(), MofNCompleteColumn(),
                TextColumn("{task.fields[rate]:.1f}/s"), TimeElapsedColumn(), TimeRemainingColumn(),
                TextColumn("{task.fields[status]}"), console=self._console,
            )  # fmt: skip
            self._bar.start()
            self._task = self._bar.add_task(self._info.name, total=self._pairs, rate=0.0, status="")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def advance(self, result: Result) -> None:
        """Count one pair."""
        self._done += 1
        self._show(result)

    def _show(self, result: Result) -> None:
        if self._bar is not None:
            self._bar.update(self._task, advance=1, rate=self.rate, status=self._status(result))
        elif not self._quiet and time.monotonic() - self._last_line > PLAIN_SECONDS:
            self._last_line = time.monotonic()
            of = f"/{self._pairs}" if self._pairs else ""
            status = self._status(result)
            self._console.print(
                f"{self._info.name}: {self._done}{of} pairs, {self.rate:.1f}/s, {status}",
                highlight=False, markup=False, soft_wrap=True,
            )  # fmt: skip

    @property
    def done(self) -> int:
        """Pairs so far."""
        return self._done

    @property
    def rate(self) -> float:
        """Pairs a second, on average."""
        return self._done / max(time.monotonic() - self._started, 1e-9)

    def _status(self, result: Result) -> str:
        words = [str(result.motion.status)] if result.motion else []
        if self._health.dropped:
            words.append(f"{self._health.dropped} dropped")
        if self._health.gaps:
            words.append(f"{self._health.gaps} gaps")
        return ", ".join(words)


class TaskProgress(RunProgress):
    """Sends what a bar elsewhere needs."""

    def __enter__(self) -> TaskProgress:
        tell(done=0, of=self._pairs)
        return self

    def _show(self, result: Result) -> None:
        if time.monotonic() - self._last_line > TASK_SECONDS:
            self._last_line = time.monotonic()
            tell(done=self._done, of=self._pairs)
