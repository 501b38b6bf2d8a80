"""Damage image folders at random and see what the image source makes of them.

    python -m tests.stress.fuzz_images --count 1000 --seed 1

One or two files of a folder are damaged, or stand there under odd names. A finding is a crash, a hang, an
exception that is no `SourceError`, an index that goes back, or a picture that is whole and does not come.
"""

from __future__ import annotations

import itertools
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from sources import open_source
from streamflow.errors import SourceError
from tests.stress.fuzzing import MUTATIONS, run
from tests.support.clips import number, picture

COUNT = 6  # pictures a folder


def _still(suffix: str) -> Callable[[Path, int], None]:
    """Write the picture of a number as OpenCV does."""
    return lambda folder, i: path_written(folder / f"{i}{suffix}", picture(i))


def _deep(suffix: str) -> Callable[[Path, int], None]:
    return lambda folder, i: path_written(folder / f"{i}{suffix}", picture(i)[..., 0].astype(np.uint16) * 257)


def _pages(suffix: str, **options: Any) -> Callable[[Path, int], None]:
    """Write three pages, the first of which has the number."""

    def write(folder: Path, i: int) -> None:
        first, *rest = (Image.fromarray(picture(n)[..., ::-1]) for n in (i, i + 100, i + 101))
        first.save(folder / f"{i}{suffix}", save_all=True, append_images=rest, **options)

    return write


KINDS: dict[str, Callable[[Path, int], None]] = {
    "png": _still(".png"),
    "jpg": _still(".jpg"),
    "bmp": _still(".bmp"),
    "ppm": _still(".ppm"),
    "tif": _still(".tif"),
    "webp": _still(".webp"),
    "jp2": _still(".jp2"),
    "deep png": _deep(".png"),
    "deep tif": _deep(".tif"),
    "pages tif": _pages(".tif"),
    "pages webp": _pages(".webp", duration=40, quality=95),
    "pages avif": _pages(".avif", duration=40, quality=90),
    "pages gif": _pages(".gif", duration=40),
}


def path_written(path: Path, pixels: Any) -> None:
    assert cv2.imwrite(str(path), pixels)


def empty(path: Path, rng: np.random.Generator) -> None:
    path.write_bytes(b"")


def folder_of_that_name(path: Path, rng: np.random.Generator) -> None:
    path.unlink()
    path.mkdir()


def link_to_nothing(path: Path, rng: np.random.Generator) -> None:
    path.unlink()
    path.symlink_to("nowhere.png")


def link_to_itself(path: Path, rng: np.random.Generator) -> None:
    path.unlink()
    path.symlink_to(path.name)


def another_suffix(path: Path, rng: np.random.Generator) -> None:
    path.rename(path.with_suffix(str(rng.choice([".png", ".jpg", ".tiff", ".webp", ".PNG"]))))


def odd_name(path: Path, rng: np.random.Generator) -> None:
    names = [b"\xff\xfe", b"a\nb", b"100%", b"[1]", "Größe".encode(), b"9" * 99, b"-3", b"7.5", b"", b"*"]
    name = names[int(rng.integers(len(names)))]
    path.rename(os.fsdecode(os.fsencode(path.parent) + b"/" + name + os.fsencode(path.suffix)))


AROUND = (empty, folder_of_that_name, link_to_nothing, link_to_itself, another_suffix, odd_name)


def mutants(folder: Path, count: int, seed: int) -> Iterator[tuple[str, Path]]:
    """(what was done, folder), `count` of them; the same for the same seed."""
    rng = np.random.default_rng(seed)
    ways = itertools.cycle(itertools.product(KINDS, (*MUTATIONS, *AROUND)))
    for position, (kind, mutate) in enumerate(itertools.islice(ways, count)):
        mutant = folder / "mutant"
        shutil.rmtree(mutant, ignore_errors=True)
        mutant.mkdir()
        for i in range(COUNT):
            KINDS[kind](mutant, i)
        files = sorted(mutant.iterdir())
        for i in rng.choice(COUNT, int(rng.integers(1, 3)), replace=False):
            if mutate in AROUND:
                mutate(files[i], rng)
            else:
                data = bytearray(files[i].read_bytes())
                files[i].write_bytes(mutate(data, files[int(rng.integers(COUNT))].read_bytes(), rng))
        (folder / "whole").write_text(
            " ".join(str(i) for i, file in enumerate(files) if _is_whole(file, kind, i))
        )
        yield f"{position} {kind} {mutate.__name__}", mutant


def _is_whole(file: Path, kind: str, i: int) -> bool:
    """Whether nothing was done to the picture of number `i`."""
    original = file.parent.parent / "original"
    original.mkdir(exist_ok=True)
    KINDS[kind](original, i)
    return file.is_file() and file.read_bytes() == (original / file.name).read_bytes()


def judge(path: Path) -> str:
    """Read the folder: "refused" or "read", or what is wrong."""
    whole = {int(word) for word in (path.parent / "whole").read_text().split()}
    try:
        source = open_source(str(path))
        frames = list(source)
    except SourceError as error:
        return f"FINDING refused, but {len(whole)} are whole: {error}" if whole else "refused"
    indices = [frame.index for frame in frames]
    if indices != sorted(set(indices)):
        return f"FINDING indices {indices}"
    missing = whole - {number(frame.image) for frame in frames}
    if missing:
        return f"FINDING {missing} are whole and did not come: {source.health.notes}"
    return "read"


if __name__ == "__main__":
    sys.exit(run("tests.stress.fuzz_images", mutants, judge, __doc__))
