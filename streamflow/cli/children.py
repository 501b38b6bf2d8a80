"""Tasks in processes of their own: begun, listened to, and ended together."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from io import TextIOWrapper
from pathlib import Path
from tempfile import TemporaryFile
from threading import Lock
from typing import Any

import streamflow
from streamflow.cli.outcome import Outcome, interrupted
from streamflow.cli.progress import MARK
from streamflow.cli.task import Task

STREAM = Path(streamflow.__file__).parents[1] / "stream.py"
Listener = Callable[[Mapping[str, Any]], None]


class Died(Exception):
    """A process ended without a word: it was killed, or crashed."""


class Children:
    """The processes of this one."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._running: dict[subprocess.Popen[bytes], str] = {}  # and their batches
        self._stopped: dict[str, int] = {}  # batches that were told to end, by which signal

    def run(self, task: Task, listener: Listener | None = None) -> Outcome:
        """Do a task; `listener` gets the records that tell how far it is.

        Raises
        ------
        Died
            The process ended without a word.
        """
        with TemporaryFile("w+", encoding="utf-8") as printed:
            process = self._begin(task, printed)
            if process is None:
                return interrupted(self._stopped[task.batch])
            try:
                ending, said = _listen(process, listener)
                code = process.wait()
            finally:
                with self._lock:
                    del self._running[process]
                _close(process)
            if ending is None and task.batch in self._stopped:
                return interrupted(self._stopped[task.batch])
            if ending is None:
                raise Died(_cause(code, said))
            printed.seek(0)
            unheard = tuple(said) if listener is None else ()
            return Outcome(ending["code"], ending["why"], said=unheard, printed=printed.read())

    def stop(self, batch: str, number: int = signal.SIGTERM) -> None:
        """Send a signal to the processes of a batch; none is begun any more."""
        with self._lock:
            self._stopped.setdefault(batch, number)
            for process, its_batch in self._running.items():
                if its_batch == batch:
                    process.send_signal(number)

    def _begin(self, task: Task, printed: Any) -> subprocess.Popen[bytes] | None:
        batch = task.batch
        with self._lock:
            if batch in self._stopped:
                return None
            process = subprocess.Popen(
                [sys.executable, str(STREAM), "task"],
                stdin=subprocess.PIPE, stdout=printed, stderr=subprocess.PIPE,
                env=_environment(), start_new_session=True,
            )  # fmt: skip
            self._running[process] = batch
        assert process.stdin is not None
        try:
            process.stdin.write(pickle.dumps(task))
            process.stdin.flush()
        except BrokenPipeError:
            pass  # it ended at once, and will be found so
        return process


CHILDREN = Children()


def _listen(
    process: subprocess.Popen[bytes], listener: Listener | None
) -> tuple[Mapping[str, Any] | None, list[str]]:
    """Read standard error to its end; return the record that tells the outcome, and the other lines."""
    assert process.stderr is not None
    ending, said = None, []
    for line in TextIOWrapper(process.stderr, encoding="utf-8", errors="replace"):
        own = line.startswith(MARK)
        record = json.loads(line[1:]) if own else {"said": line.rstrip("\n")}
        if not own:
            said.append(record["said"])
        if "code" in record:
            ending = record
        elif listener is not None:
            listener(record)
    return ending, said


def _close(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stderr):
        if pipe is not None:
            pipe.close()


def _cause(code: int, said: list[str]) -> str:
    if code < 0:
        return f"its process was ended by {signal.Signals(-code).name}"
    return said[-1] if said else f"its process ended with code {code}"


def _environment() -> dict[str, str]:
    """In which a process finds the program, wherever it is begun."""
    root = str(STREAM.parent)
    paths = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**os.environ, "PYTHONPATH": paths}
