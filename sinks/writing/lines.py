"""Records written as lines of JSON, each as soon as it is known."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sinks.writing.files import PartFile, fault, faults_of, open_at, write_fully
from sinks.writing.records import to_json
from sinks.writing.resume import EarlierLines
from streamflow.errors import SinkError, StopStreaming

if TYPE_CHECKING:
    from sinks import Run


class Lines:
    """A JSONL file that takes its name when it is whole; or a pipe, a device, or stdout (`-`)."""

    def __init__(self, target: str, run: Run) -> None:
        self._name = "stdout" if target == "-" else target
        self._file: PartFile | None = None
        self._descriptor: int | None = None
        self._earlier: EarlierLines | None = None  # what an interrupted run wrote and this one repeats
        self._whole = True
        if run.resume and (target == "-" or _is_pipe_or_device(target)):
            raise SinkError(f"{self._name}: a pipe cannot be continued; leave out --resume")
        if target == "-":
            sys.stdout.flush()
            with faults_of(self._name):
                self._descriptor = os.dup(sys.stdout.fileno())
        elif _is_pipe_or_device(target):
            with faults_of(self._name):
                self._descriptor = os.open(target, os.O_WRONLY)
        else:
            self._file = PartFile(target, run)
            earlier = next((path for path in (self._file.part, self._file.path) if path.exists()), None)
            if run.resume and earlier is not None:
                self._earlier = EarlierLines(earlier)

    def add(self, record: Mapping[str, Any]) -> None:
        """Write one line; nobody waits for a full buffer to see it.

        Raises
        ------
        StopStreaming
            Whoever read the other end of the pipe has gone.
        """
        if self._descriptor is None and self._earlier is not None and self._earlier.repeats(record):
            return
        try:
            write_fully(self._open(), to_json(record).encode() + b"\n")
        except BrokenPipeError as error:
            raise StopStreaming(f"{self._name}: nobody reads it any more") from error
        except OSError as error:
            self._whole = False
            raise fault(self._name, error) from error

    def close(self, whole: bool = True) -> None:
        """Close; what is not `whole` keeps its temporary name."""
        if self._descriptor is None and self._earlier is not None and self._earlier.repeated:
            self._open()  # nothing was missing but the name
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
            if self._file and whole and self._whole:
                self._file.commit()

    def _open(self) -> int:
        if self._descriptor is None:
            assert self._file is not None
            if self._earlier is None:
                self._descriptor = open_at(self._file.begin(), 0)
            else:
                self._descriptor = open_at(self._file.take_over(), self._earlier.size)
        return self._descriptor


def _is_pipe_or_device(target: str) -> bool:
    path = Path(target)
    return path.exists() and not path.is_file() and not path.is_dir()
