"""Lists and patterns on the command line: which sources they stand for."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from sources.reading.image_files import PRINTF, is_image, matching, natural_order
from streamflow.errors import SourceError

STDIN = "@-"


def expanded(specs: Iterable[str]) -> list[str]:
    """`specs` with the lines of each `@LIST`, and what a pattern such as "clips/*.mp4" matches.

    A pattern of images stays as it is: it is one source.

    Raises
    ------
    SourceError
        A list cannot be read, or names nothing.
    """
    return [found for spec in specs for line in _lines(spec) for found in _matches(line)]


def _lines(spec: str) -> list[str]:
    """The sources that a list names, one a line; "#" begins a comment."""
    if not spec.startswith("@"):
        return [spec]
    try:
        text = sys.stdin.read() if spec == STDIN else Path(spec[1:]).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not text in UTF-8"
        raise SourceError(f"{spec}: the list cannot be read: {reason}") from error
    lines = [line.strip() for line in text.splitlines()]
    named = [line for line in lines if line and not line.startswith("#")]
    if not named:
        raise SourceError(f"{spec}: the list names no source; write one a line")
    return named


def _matches(spec: str) -> Iterator[str]:
    paths = list(_files(spec))
    if not paths or any(is_image(str(path)) for path in paths):
        yield spec
    else:
        yield from map(str, sorted(paths, key=natural_order))


def _files(spec: str) -> Iterable[Path]:
    """What a pattern matches; nothing for what is a file's name, a numbered pattern or an address."""
    if not any(sign in spec for sign in "*?[") or "://" in spec or PRINTF.search(spec) or Path(spec).exists():
        return []
    return (path for path in map(Path, matching(spec)) if not path.name.startswith("."))
