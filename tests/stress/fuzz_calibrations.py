"""Damage calibration files at random and see what becomes of the camera.

    python -m tests.stress.fuzz_calibrations --count 1000 --seed 1

A finding is a crash, a hang, an exception that is no `UsageError`, an error of more than a line, or a camera
whose matrix is none or that cannot undo its lens.
"""

from __future__ import annotations

import itertools
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from sources.calibration import read_calibration
from streamflow.errors import UsageError
from streamflow.geometry.camera import camera_for
from streamflow.options import Options
from streamflow.values import Frame, SourceInfo
from tests.stress.fuzzing import MUTATIONS, run
from tests.support.calibrations import FORMS, SIZE

NUMBER = re.compile(rb"-?\d+\.?\d*(?:e[+-]?\d+)?")
ODD = (
    b"nan", b"inf", b"-1", b"0", b"1e999", b"1e300", b"-1e-300", b"99999999999", b"", b"x", b"[]", b"{}",
    b"null", b'"7"', b"0x10", b"1,5", b"\xff",
)  # fmt: skip


def odd_numbers(data: bytearray, other: bytes, rng: np.random.Generator) -> bytearray:
    """A few numbers are others, or none."""
    places = list(NUMBER.finditer(bytes(data)))
    for i in sorted(rng.integers(0, len(places), int(rng.integers(1, 4))) if places else [], reverse=True):
        data[places[i].start() : places[i].end()] = ODD[int(rng.integers(len(ODD)))]
    return data


def lines_moved(data: bytearray, other: bytes, rng: np.random.Generator) -> bytearray:
    """A line is left out, said twice, or stands elsewhere."""
    lines = bytes(data).split(b"\n")
    line = lines.pop(int(rng.integers(len(lines))))
    for _ in range(int(rng.integers(0, 3))):
        lines.insert(int(rng.integers(len(lines) + 1)), line)
    return bytearray(b"\n".join(lines))


def brackets(data: bytearray, other: bytes, rng: np.random.Generator) -> bytearray:
    """Signs with a meaning, up to thousands deep."""
    sign = (b"[", b"{", b"]", b"}", b":", b"- ", b"  ", b"<a>", b"&", b"\n")[int(rng.integers(10))]
    place = int(rng.integers(len(data) + 1))
    data[place:place] = sign * int(rng.choice([1, 2, 50, 5000]))
    return data


WAYS = (*MUTATIONS, odd_numbers, lines_moved, brackets)


def mutants(folder: Path, count: int, seed: int) -> Iterator[tuple[str, Path]]:
    """(what was done, file), `count` of them; the same for the same seed."""
    rng = np.random.default_rng(seed)
    contents = [form[1] if isinstance(form[1], bytes) else form[1].encode() for form in FORMS.values()]
    ways = itertools.cycle(itertools.product(FORMS, WAYS))
    for position, (form, mutate) in enumerate(itertools.islice(ways, count)):
        name, content, _ = FORMS[form]
        data = bytearray(content if isinstance(content, bytes) else content.encode())
        path = folder / name
        path.write_bytes(mutate(data, contents[int(rng.integers(len(contents)))], rng))
        yield f"{position} {form} {mutate.__name__}", path


def judge(path: Path) -> str:
    """Make a camera of `path`: "refused" or "read", or what is wrong."""
    try:
        calibration = read_calibration(str(path))
        camera = camera_for(Options(camera=calibration), SourceInfo("a.mp4", "a", size=SIZE), SIZE)
        picture = camera.rectify(Frame(0, np.zeros((SIZE[1], SIZE[0], 3), np.uint8))).image
    except UsageError as error:
        return "FINDING an error of several lines" if "\n" in str(error) else "refused"
    if not np.isfinite(camera.matrix).all() or picture.shape != (SIZE[1], SIZE[0], 3):
        return f"FINDING camera {camera.matrix.tolist()}"
    return "read"


if __name__ == "__main__":
    sys.exit(run("tests.stress.fuzz_calibrations", mutants, judge, __doc__))
