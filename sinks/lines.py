"""Records written as lines of JSON, each as soon as it is known."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sinks.files import PartFile, fault, faults_of, write_fully
from sinks.records import to_json
from streamflow.errors import StopStreaming

if TYPE_CHECKING:
    from sinks import Run


class Lines:
    """A JSONL file that takes its name when it is whole; or a pipe, a device, or stdout (`-`)."""

    def __init__(self, target: str, run: Run) -> None:
        self._name = "stdout" if target == "-" else target
        self._file: PartFile | None = None
        self._descriptor: int | None = None
        self._whole = True
        if target == "-":
            sys.stdout.flush()
            with faults_of(self._name):
                self._descriptor = os.dup(sys.stdout.fileno())
        elif _is_pipe_or_device(target):
            with faults_of(self._name):
                self._descriptor = os.open(target, os.O_WRONLY)
        else:
            self._file = PartFile(target, run)

    def add(self, record: Mapping[str, Any]) -> None:
        """Write one line; nobody waits for a full buffer to see it.

        Raises
        ------
        StopStreaming
            Whoever read the other end of the pipe has gone.
        """
        try:
            write_fully(self._open(), to_json(record).encode() + b"\n")
        except BrokenPipeError as error:
            raise StopStreaming(f"{self._name}: nobody reads it any more") from error
        except OSError as error:
            self._whole = False
            raise fault(self._name, error) from error

    def close(self, whole: bool = True) -> None:
        """Close; what is not `whole` keeps its temporary name."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
            if self._file and whole and self._whole:
                self._file.commit()

    def _open(self) -> int:
        if self._descriptor is None:
            assert self._file is not None
            self._descriptor = os.open(self._file.begin(), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        return self._descriptor


def _is_pipe_or_device(target: str) -> bool:
    path = Path(target)
    return path.exists() and not path.is_file() and not path.is_dir()
