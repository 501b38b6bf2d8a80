"""Continuing an interrupted run: the command that does it, and whether its source is still the same."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from zlib import crc32

from streamflow.cli.typed import typed
from streamflow.values import SourceInfo

FLAGS = re.compile(r"-(?P<flags>[nqy]+)(?P<output>o.*)?")  # letters that may share a dash, before the last


def continuing(words: Sequence[str]) -> str:
    """Return the command line that continues the run which these words began."""
    return typed("--resume", *filter(None, map(_not_replacing, words)))


def _not_replacing(word: str) -> str:
    """Return a word without what asks for outputs to be replaced, or for what is asked for anyhow."""
    if len(word) > len("--o") and ("--overwrite".startswith(word) or "--resume".startswith(word)):
        return ""
    found = FLAGS.fullmatch(word)
    if found is None:
        return word
    rest = found["flags"].replace("y", "") + (found["output"] or "")
    return rest and f"-{rest}"


def state_of_files(info: SourceInfo) -> str | None:
    """Return what changes when a file of the source is changed, added or removed; None without files."""
    states = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in map(Path, info.files)]
    return f"{len(states)} files, {crc32(repr(states).encode()):08x}" if states else None
