"""--threads N: the same files to the last bit, whatever N."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import chain
from pathlib import Path

import numpy as np
import pytest

from sources import open_source
from tests.support.clips import write_clip

ROOT = Path(__file__).parents[2]
TRAFFIC = "demo:traffic,size=233x141,frames=7"
TARGETS = ("flo", "npz", "depth", "poses", "jsonl")


def run(source: str, folder: Path, threads: int) -> None:
    folder.mkdir()
    outputs = chain.from_iterable(("-o", f"{kind}:{folder / kind}") for kind in TARGETS)
    switches = ("--moving", "--depth", "--planar_flow", "--fill", "--threads", str(threads))
    words = [sys.executable, str(ROOT / "stream.py"), source, *switches, *outputs]
    done = subprocess.run(words, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr


def contents(folder: Path) -> dict[str, bytes]:
    """Bytes of every file but those that tell the command line; of the records all but the clock's."""
    files = [path for path in folder.rglob("*") if path.suffix not in (".json", ".jsonl") and path.is_file()]
    found = {str(path.relative_to(folder)): path.read_bytes() for path in files}
    records = [json.loads(line) for line in found["jsonl"].splitlines()]
    return {**found, "jsonl": json.dumps([{**record, "timing_ms": None} for record in records]).encode()}


@pytest.fixture(scope="module")
def encoded(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Two scenes in one clip as cameras write it, with a cut between them, and some frames twice."""
    scenes = (TRAFFIC, "demo:turning,size=232x140,frames=6")
    shots = [[frame.image[:140, :232] for frame in open_source(scene)] for scene in scenes]
    pictures = [*shots[0][:5], shots[0][4], *shots[0][5:], *shots[1], shots[1][-1]]
    path = write_clip(
        tmp_path_factory.mktemp("clip") / "clip.mp4",
        count=len(pictures), size=(232, 140), options={"crf": "26"},
        draw=lambda i: np.ascontiguousarray(pictures[i]),
    )  # fmt: skip
    return str(path)


@pytest.mark.parametrize("source", ["rendered", "encoded"])
def test_results_are_the_same_whatever_the_number_of_threads(
    source: str, encoded: str, tmp_path: Path
) -> None:
    for threads in (1, 2, 3):
        run(encoded if source == "encoded" else TRAFFIC, tmp_path / str(threads), threads)
    one, two, three = (contents(tmp_path / str(threads)) for threads in (1, 2, 3))
    assert len(one) >= 20
    assert two == one
    assert three == one
