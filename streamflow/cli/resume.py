"""Continuing an interrupted run: the command that does it, and whether its source is still the same."""

from __future__ import annotations

import glob
import shlex
from collections.abc import Sequence
from pathlib import Path
from zlib import crc32

from sources.images import SUFFIXES


def continuing(argv: Sequence[str]) -> str:
    """Return the command line that continues the run which `argv` began."""
    program, *words = argv
    kept = [word for word in words if word not in ("-y", "--overwrite", "--resume")]
    return shlex.join(["python", program, *kept, "--resume"])


def state_of_files(spelling: str) -> str | None:
    """Return what changes when a file of the source is changed, added or removed; None without files.

    Of a folder only the images count: the outputs may go there too.
    """
    path = Path(spelling)
    if path.is_file():
        files = [path]
    else:
        pattern = f"{glob.escape(spelling)}/*" if path.is_dir() else spelling
        files = [Path(name) for name in sorted(glob.glob(pattern)) if name.lower().endswith(SUFFIXES)]
    states = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return f"{len(files)} files, {crc32(repr(states).encode()):08x}" if files else None
