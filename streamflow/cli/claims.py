"""Whose a target is: one run's at a time, and afterwards whether that run finished it.

Beside the file or folder NAME lies `.NAME.streamflow`. While a run writes NAME it holds a lock on that file,
which ends with the process, however that ends. What is finished has its provenance there.
"""

from __future__ import annotations

import errno
import json
import os
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from sinks.writing.files import faults_of
from sinks.writing.records import to_json
from streamflow.errors import SinkError

LOOK = 0.1
WITHOUT_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS)  # a file system that has none

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in WITHOUT_LOCKS:
                raise


def is_finished(path: Path, provenance: Mapping[str, Any]) -> bool:
    """Whether a run with this provenance wrote `path` to its end, or had nothing to write there."""
    record = _record(_claim_file(path))
    same = record.get("finished") == json.loads(to_json(provenance))
    return same and (path.exists() or not record.get("written"))


class Claims:
    """The targets of one run, claimed together.

    Parameters
    ----------
    paths : iterable of Path
        Files and folders that the run writes.
    patience : float
        Seconds to wait for a run that is about to end.

    Raises
    ------
    SinkError
        Another run is writing one of them.
    """

    def __init__(self, paths: Iterable[Path], patience: float = 0) -> None:
        self._claims: dict[Path, _Claim] = {}
        try:
            for path in paths:
                self._claims[path] = _Claim(path)
                self._claims[path].take(patience)
        except BaseException:
            self.release()
            raise

    def begin(self) -> None:
        """Note that what is there will change: it is finished no more."""
        for claim in self._claims.values():
            claim.write({})

    def finish(self, provenance: Mapping[str, Any]) -> None:
        """Note that the targets are whole, unless there are none at all."""
        written = {path: path.exists() for path in self._claims}
        for path, claim in self._claims.items():
            if any(written.values()):
                claim.write({"finished": provenance, "written": written[path]})

    def release(self) -> None:
        """Let go of all; what is not finished is left without a record."""
        for claim in self._claims.values():
            claim.release()
        self._claims.clear()


class _Claim:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = _claim_file(path)
        self._made = [folder for folder in self._file.parents if not folder.exists()]
        self._descriptor: int | None = None
        self.record: dict[str, Any] = {}

    def take(self, patience: float) -> None:
        deadline = time.monotonic() + patience
        with faults_of(self._path):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            while not self._taken():
                if time.monotonic() >= deadline:
                    raise SinkError(f"{self._path}: another run is writing it; wait, or choose another name")
                time.sleep(LOOK)
        self.record = _record(self._file)

    def write(self, record: Mapping[str, Any]) -> None:
        assert self._descriptor is not None
        with faults_of(self._path):
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, to_json(record).encode() + b"\n", 0)
        self.record = dict(record)

    def release(self) -> None:
        if self._descriptor is None:
            return
        if "finished" not in self.record:
            self._file.unlink(missing_ok=True)
        os.close(self._descriptor)
        self._descriptor = None
        for folder in self._made:
            with suppress(OSError):
                folder.rmdir()  # nothing came into it

    def _taken(self) -> bool:
        """Whether the lock could be had, and on the file that is there now: an owner may remove it."""
        descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _lock(descriptor)
            if os.path.samestat(os.fstat(descriptor), os.stat(self._file)):
                self._descriptor = descriptor
                return True
        except (BlockingIOError, FileNotFoundError):
            pass
        os.close(descriptor)
        return False


def _claim_file(path: Path) -> Path:
    """Beside `path`, or in it, where it is a folder and nothing can be written beside it."""
    path = Path(os.path.abspath(path))
    if path.is_dir() and not os.access(path.parent, os.W_OK):
        return path / ".streamflow"
    return path.parent / f".{path.name}.streamflow"


def _record(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
