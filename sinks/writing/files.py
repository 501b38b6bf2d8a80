"""Files that appear whole or not at all: what every sink that writes to disk shares."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from streamflow.errors import SinkError

if TYPE_CHECKING:
    from sinks import Run

REMEDIES = {
    errno.ENOSPC: "free some space, or write to another disk",
    errno.EDQUOT: "free some space, or write to another disk",
    errno.EFBIG: "raise the limit on the size of files (ulimit -f), or write to another disk",
    errno.EACCES: "choose a place you may write to",
    errno.EPERM: "choose a place you may write to",
    errno.EROFS: "choose a place you may write to",
    errno.ENOTDIR: "choose a folder that exists",
    errno.ENOENT: "choose a folder that exists",
}


def reason(error: Exception) -> str:
    """Why the system refused, and what to do about it."""
    code = getattr(error, "errno", None)
    if code in REMEDIES:
        return f"{os.strerror(code)}; {REMEDIES[code]}"
    return getattr(error, "strerror", None) or str(error)


def fault(path: Path | str, error: Exception) -> SinkError:
    """Return the error that says `path` cannot be written, and why."""
    return SinkError(f"{path}: cannot be written: {reason(error)}")


@contextmanager
def faults_of(path: Path | str) -> Iterator[None]:
    """Turn an `OSError` inside the block into a `SinkError` about `path`."""
    try:
        yield
    except OSError as error:
        raise fault(path, error) from error


def check_writable(folder: Path) -> None:
    """Raise `SinkError` unless a file can be made now in `folder`, or where that is to be made; none is left.

    Trying tells more than the permission bits: they hold nothing back from root, and say nothing of a
    disk that is read-only.
    """
    with faults_of(folder):
        there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        with tempfile.TemporaryFile(dir=there):
            pass


def write_whole(path: Path, data: bytes | memoryview) -> None:
    """Write `path` so that it never exists in part, not even when the process is killed."""
    part = path.with_name(path.name + ".part")
    with faults_of(path):
        try:
            part.write_bytes(data)
            os.replace(part, path)
        except OSError:
            part.unlink(missing_ok=True)
            raise


class PartFile:
    """One long file: grows as `NAME.part.SUFFIX` beside its target, and takes its own name when whole.

    The suffix stays last, so that what a crash leaves opens in any player.
    """

    def __init__(self, target: str, run: Run) -> None:
        self.path = Path(target)
        if not self.path.name or self.path.is_dir():
            raise SinkError(f"{target or 'output'}: not a file name; say which file to write")
        self.part = self.path.with_name(f"{self.path.stem}.part{self.path.suffix}")
        with faults_of(self.path):
            if self.path.exists() and _same_file(self.path, run.source.name):
                raise SinkError(f"{self.path}: is the source of this run; choose another name")
            if self.path.exists() and not (run.overwrite or run.resume):
                raise SinkError(f"{self.path}: exists; -y replaces it, or choose another name")
            if self.part.exists() and not (run.overwrite or run.resume):
                raise SinkError(
                    f"{self.part}: is left of an interrupted run; --resume continues it, -y replaces it"
                )
        check_writable(self.path.parent)
        self._earlier = identity(self.part)

    def begin(self) -> Path:
        """Make an empty file, unless somebody else has begun the same one; return where to write."""
        if identity(self.part) != self._earlier:
            raise SinkError(f"{self.path}: another output writes to it; choose another name")
        with faults_of(self.part):
            self.part.parent.mkdir(parents=True, exist_ok=True)
            self.part.write_bytes(b"")
        return self.part

    def promote(self) -> None:
        """Give what an interrupted run left the final name, until this run has as much."""
        with faults_of(self.path):
            os.replace(self.part, self.path)
        self._earlier = None

    def take_over(self) -> Path:
        """Return what an interrupted run left under the temporary name, or a copy of what it finished."""
        if not self.part.exists():
            with faults_of(self.part):
                shutil.copyfile(self.path, self.part)
        return self.part

    def holds_something(self) -> bool:
        """Whether there is anything worth keeping; an empty file is removed."""
        if self.part.exists() and not self.part.stat().st_size:
            self.part.unlink()
        return self.part.exists()

    def commit(self) -> None:
        """Give the file its own name: it is whole."""
        with faults_of(self.path):
            os.replace(self.part, self.path)


def _same_file(path: Path, source: str) -> bool:
    return Path(source).exists() and path.samefile(source)


def write_fully(descriptor: int, data: bytes) -> None:
    """`os.write` may write a part only, and says why with the next call."""
    while data:
        data = data[os.write(descriptor, data) :]


def open_at(path: Path, size: int) -> int:
    """Open `path` for appending after its first `size` bytes, and drop what comes after them."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    os.ftruncate(descriptor, size)
    return descriptor


def crc32(data: bytes | memoryview) -> str:
    """Return the CRC-32 in eight hexadecimal digits."""
    return f"{zlib.crc32(data):08x}"


def identity(path: Path) -> tuple[int, int] | None:
    """Changes when `path` is written or replaced; None when there is no such file."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns
