"""Which files a folder, a pattern or a list of images means, and in which order."""

from __future__ import annotations

import glob
import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from streamflow.errors import SourceError

# Of one picture stored twice the earlier in this list is read: the better copy first.
SUFFIXES = (
    ".png", ".apng", ".tif", ".tiff", ".bmp", ".ppm", ".pgm", ".pbm", ".pnm",
    ".jp2", ".webp", ".avif", ".jpg", ".jpeg", ".jfif", ".gif",
)  # fmt: skip

PRINTF = re.compile(r"%0?(\d*)d")


def is_image(path: str) -> bool:
    """Whether the file at `path` is read as images; an animated GIF by itself is a video."""
    suffix = Path(path).suffix.lower()
    return suffix in SUFFIXES and suffix != ".gif"


def find_images(spec: str) -> tuple[list[Path], list[str]]:
    """Images of a folder or pattern in natural order: frame_2 before frame_10.

    Returns
    -------
    tuple of list
        The files, and what is to be said of files that were left out.

    Raises
    ------
    SourceError
        There are none.
    """
    if Path(spec).is_file():
        return [Path(spec)], []
    pattern = f"{glob.escape(spec)}/*" if Path(spec).is_dir() else spec
    images = _images(matching(pattern))
    if not images:
        below = _images(matching(f"{pattern}/*"))
        hint = f"try {below[0].parent}" if below else f"looked for {', '.join(SUFFIXES)}"
        raise SourceError(f"{spec}: no images there; {hint}")
    return one_format(sorted(images, key=natural_order))


def matching(pattern: str) -> list[str]:
    """Paths that match a shell pattern, or one with a number as C prints it: shot_%05d.png.

    Signs of patterns stand for themselves in the names of folders that exist.
    """
    folder, rest = Path(), list(Path(pattern).parts)
    while len(rest) > 1 and (folder / rest[0]).is_dir():
        folder /= rest.pop(0)
    if len(rest) == 1 and PRINTF.search(rest[0]):
        return list(_numbered(folder, rest[0]))
    return list(_walk(os.path.join(glob.escape(str(folder)), *rest)))


def _numbered(folder: Path, pattern: str) -> Iterator[str]:
    """Files whose name is `pattern` with any number in it; a width is the least number of digits."""
    parts = PRINTF.split(pattern)  # text, width, text, width, text ...
    words = [rf"\d{{{part or 1},}}" if i % 2 else re.escape(part) for i, part in enumerate(parts)]
    name = re.compile("".join(words).replace("%%", "%"))
    return (str(path) for path in folder.iterdir() if name.fullmatch(path.name))


def _walk(pattern: str) -> Iterator[str]:
    """As `glob.glob`, but each folder below a "**" is looked into once, whatever links lead back to it."""
    above, deep, below = pattern.partition("**/")
    if not deep:
        yield from glob.glob(pattern)
        return
    seen = set()
    for root in glob.glob(above) if above else ["."]:
        for folder, subfolders, _ in os.walk(root, followlinks=True):
            if os.path.realpath(folder) in seen:
                subfolders.clear()
                continue
            seen.add(os.path.realpath(folder))
            subfolders[:] = [name for name in subfolders if not name.startswith(".")]
            yield from _walk(os.path.join(glob.escape(folder), below))


def _images(paths: Iterable[str]) -> list[Path]:
    """Files that are images by their name, each once; hidden ones are other programs' litter."""
    files: dict[tuple[str, str], Path] = {}
    for path in map(Path, paths):
        if path.suffix.lower() in SUFFIXES and path.is_file() and not path.name.startswith("."):
            files.setdefault((os.path.realpath(path.parent), path.name), path)
    return list(files.values())


def one_format(paths: Sequence[Path]) -> tuple[list[Path], list[str]]:
    """`paths` without the copies of a picture in another format, and what is to be said of these."""
    copies: dict[tuple[Path, str], list[Path]] = defaultdict(list)
    for path in paths:
        copies[path.parent, path.stem].append(path)
    best = {min(same, key=lambda path: SUFFIXES.index(path.suffix.lower())) for same in copies.values()}
    left_out = Counter(path.suffix for path in paths if path not in best)
    notes = [
        f"{count} pictures are there in another format too: those in {suffix} are left out"
        for suffix, count in left_out.items()
    ]
    return [path for path in paths if path in best], notes


def natural_order(path: Path) -> tuple[list[str | int], str]:
    """Sort key by which numbers in names count as numbers."""
    parts = re.split(r"(\d+)", str(path))
    return [int(part) if i % 2 else part.casefold() for i, part in enumerate(parts)], str(path)


def missing_before(paths: Sequence[Path]) -> list[int]:
    """How many images are missing before each, by the numbers in the names.

    Numbers count where most of them follow one another at one step: names that are times do not.
    """
    numbers = [re.fullmatch(r"(.*?)(\d+)(\D*)", path.stem) for path in paths]
    steps = [
        int(b[2]) - int(a[2]) if a and b and (a[1], a[3]) == (b[1], b[3]) else 0 for a, b in pairwise(numbers)
    ]
    counts = Counter(step for step in steps if step > 0)
    step, count = counts.most_common(1)[0] if counts else (0, 0)
    if 2 * count <= len(steps):
        return [0] * len(paths)
    return [0, *(max(0, round(found / step) - 1) for found in steps)]
