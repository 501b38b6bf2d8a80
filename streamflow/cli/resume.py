"""Continuing an interrupted run: the command that does it, and whether its source is still the same."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from zlib import crc32

from streamflow.values import SourceInfo


def continuing(argv: Sequence[str]) -> str:
    """Return the command line that continues the run which `argv` began."""
    program, *words = argv
    kept = [word for word in words if word not in ("-y", "--overwrite", "--resume")]
    return shlex.join(["python", program, *kept, "--resume"])


def state_of_files(info: SourceInfo) -> str | None:
    """Return what changes when a file of the source is changed, added or removed; None without files."""
    states = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in map(Path, info.files)]
    return f"{len(states)} files, {crc32(repr(states).encode()):08x}" if states else None
