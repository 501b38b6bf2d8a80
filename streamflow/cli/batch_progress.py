"""Progress of many sources: on a terminal a bar for each at work and one for all, or plain lines."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from streamflow.cli.outcome import Outcome
from streamflow.cli.task import Task


class BatchProgress:
    """Shows how far each task is, and says what it said when it ends."""

    def __init__(self, total: int, console: Console, *, quiet: bool) -> None:
        self._total, self._console, self._quiet = total, console, quiet
        self._ended = 0
        self._rows: dict[Task, TaskID] = {}
        self._bars = Progress(
            TextColumn("[bold]{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
            TimeRemainingColumn(), console=console, disable=quiet or not console.is_terminal,
        )  # fmt: skip

    def __enter__(self) -> BatchProgress:
        self._bars.start()
        self._all = self._bars.add_task("all", total=self._total)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def hear(self, task: Task, record: Mapping[str, Any]) -> None:
        """Take in a record of a running task: how far it is, or a line for the user."""
        if "said" in record:
            self._console.print(record["said"])
            return
        if task not in self._rows:
            self._rows[task] = self._bars.add_task(Path(task.name).name, total=None)
        self._bars.update(self._rows[task], completed=record["done"], total=record["of"])

    def end(self, task: Task, outcome: Outcome) -> None:
        """Say how a task ended, and what it said."""
        self._ended += 1
        if task in self._rows:
            self._bars.remove_task(self._rows.pop(task))
        self._bars.advance(self._all)
        for line in outcome.said:
            self._console.print(line)
        if not self._quiet:
            self._console.print(f"{self._ended}/{self._total} {task.name}: {outcome.state}")
