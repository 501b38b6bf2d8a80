"""One source of many, as a task that any machine can do; `stream.py task` does it, in a process of its own.

The process reads the task from standard input, which stays open as long as whoever wants it lives: when that
is gone, so is the process. It tells how far it is on standard error.
"""

from __future__ import annotations

import os
import pickle
import sys
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from threading import Thread
from typing import Any

from sources import open_source
from streamflow.cli.arguments import with_flags
from streamflow.cli.outcome import Outcome, interrupted
from streamflow.cli.outputs import Outputs
from streamflow.cli.progress import tell
from streamflow.cli.source_arguments import source_options
from streamflow.errors import StreamflowError
from streamflow.options import Knobs

ABANDONED = 70  # exit code that nobody is there to see


@dataclass(frozen=True, eq=False)
class Task:
    """What to run, and where."""

    source: str | tuple[str, ...]  # as `open_source` takes it
    options: Mapping[str, Any]  # of the command line, by their names
    folder: str  # that paths are relative to
    batch: str  # tells the tasks of one command from those of another
    fresh: bool = False  # nothing was there before: what is there now, an earlier attempt left
    threads: int | None = None  # its share of a machine, unless the user asked for a number

    @property
    def name(self) -> str:
        """The source as the user wrote it."""
        return self.source if isinstance(self.source, str) else ", ".join(self.source)

    @property
    def arguments(self) -> Namespace:
        """The command line of this source alone."""
        own = {
            "sources": [self.source],
            "batch": self.batch,
            "overwrite": self.options["overwrite"] or self.fresh,
            "threads": self.options["threads"] or self.threads,
        }
        return Namespace(**{**self.options, **own})


def finished(task: Task) -> bool:
    """Whether every output of the task was written to its end, with the same settings."""
    with closing(open_source(task.source, **source_options(task.arguments))) as source:
        return Outputs(source, task.arguments, Knobs()).finished


def work(_: Sequence[str]) -> int:
    """Do the task that stands on standard input."""
    from stream import stream

    task: Task = pickle.load(sys.stdin.buffer)
    Thread(target=_end_when_abandoned, name="lifeline", daemon=True).start()
    os.chdir(task.folder)
    outcome = _outcome(stream, task)
    tell(code=outcome.code, why=outcome.why)
    return outcome.code


def _end_when_abandoned() -> None:
    while os.read(sys.stdin.fileno(), 1):  # not `sys.stdin.read`, which an exit would have to wait for
        pass
    os._exit(ABANDONED)


def _outcome(stream: Callable[[str | Sequence[str], Namespace], Outcome], task: Task) -> Outcome:
    try:
        if task.fresh and finished(task):
            return Outcome()
        return stream(task.source, task.arguments)
    except StreamflowError as error:
        if task.options["debug"]:
            raise
        return Outcome(error.exit_code, with_flags(str(error)))
    except KeyboardInterrupt:
        return interrupted()
