"""Which files are parts of one video: a list for ffmpeg's concat, the chapters of a GoPro's recording."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from streamflow.errors import SourceError

LIST = re.compile(r"\s*(#.*\n\s*)*(ffconcat version|file\s)")
GOPRO = re.compile(r"(?:G[A-Z](\d\d)|(GOPR))(\d{4})", re.IGNORECASE)  # chapter or first of all, recording

DJI = re.compile(r"DJI_(?:\d{14}_)?(\d{4})(?:_.)?", re.IGNORECASE)  # the number goes on from file to file


@dataclass(frozen=True)
class Item:
    """One part of a video."""

    path: str
    start: Fraction | None = None  # seconds in its file
    end: Fraction | None = None


def is_list(path: str) -> bool:
    """Whether the file at `path` is a list for ffmpeg's concat."""
    if not path.lower().endswith((".txt", ".ffconcat")) or not Path(path).is_file():
        return False
    with open(path, "rb") as file:
        return LIST.match(file.read(1000).decode(errors="replace")) is not None


def read_list(path: str) -> list[Item]:
    """Items of a list for ffmpeg's concat, whose paths are relative to the list.

    Raises
    ------
    SourceError
        It has none, or a line that cannot be read.
    """
    items: list[Item] = []
    for line in Path(path).read_text(errors="replace").splitlines():
        try:
            word, *rest = shlex.split(line, comments=True) or [""]
            if word == "file":
                items.append(Item(str(Path(path).parent / rest[0].removeprefix("file:"))))
            elif word == "inpoint":
                items[-1] = Item(items[-1].path, Fraction(rest[0]), items[-1].end)
            elif word == "outpoint":
                items[-1] = Item(items[-1].path, items[-1].start, Fraction(rest[0]))
        except (ValueError, IndexError):
            raise SourceError(f"{path}: not a line of a concat list: {line.strip()}") from None
    if not items:
        raise SourceError(f"{path}: lists no files")
    return items


def chapters(specs: Sequence[str]) -> list[str]:
    """The parts of one video: in the order of a GoPro's chapters, one alone with those beside it."""
    if len(specs) == 1 and recording(specs[0]):
        folder = Path(specs[0]).parent
        specs = [str(path) for path in folder.iterdir() if recording(str(path)) == recording(specs[0])]
    if len({recording(spec) for spec in specs}) == 1 and recording(specs[0]):
        return sorted(specs, key=_chapter)
    return list(specs)


def recording(path: str) -> str:
    """Which recording of a GoPro a file belongs to; empty if its name is not a GoPro's."""
    found = GOPRO.fullmatch(Path(path).stem)
    return f"{found[3]}{Path(path).suffix.lower()}" if found else ""


def continues(before: str, path: str) -> bool:
    """Whether the names say that a camera went on recording from one file into the next."""
    if recording(path):
        return recording(before) == recording(path)
    first, second = (DJI.fullmatch(Path(name).stem) for name in (before, path))
    return first is not None and second is not None and int(second[1]) == int(first[1]) + 1


def _chapter(path: str) -> int:
    found = GOPRO.fullmatch(Path(path).stem)
    return int(found[1] or 0) if found else 0
