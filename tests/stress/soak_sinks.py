"""A soak of the outputs: python -m tests.stress.soak_sinks PAIRS [TARGET...]; prints memory's growth.

Made results of 320x240 pixels go through every file sink, written behind as the program does; the files
are removed now and then. What counts is the growth after the first 1,000 pairs: below 10 MB.
"""

from __future__ import annotations

import os
import sys
import tempfile
from dataclasses import replace
from fractions import Fraction
from itertools import count
from pathlib import Path

from sinks import open_sink
from streamflow.cli.write_behind import WriteBehind
from streamflow.values import FramePair, Result
from tests.support.made_results import make_frame, make_result, make_run

TARGETS = [
    *("out.mp4", "out.mkv", "out.webm", "depth:maps.mkv", "png:png", "depth:depth", "flo:flo"),
    *("kitti:kitti", "pfm:pfm", "npz:npz", "ply:ply", "jsonl:log.jsonl", "figure:figure"),
]
SIZE = 320, 240
SETTLED = 1000  # pairs
SHOWN = 250


def resident() -> float:
    """Megabytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def soak(pairs: int, targets: list[str]) -> None:
    sinks = [open_sink(target, make_run()) for target in targets]

    def write(result: Result) -> None:
        for sink in sinks:
            sink.write(result)

    behind = WriteBehind(write)
    first, second = (make_frame(index, Fraction(index, 25), SIZE) for index in (0, 1))
    result = make_result(second, first)
    settled = 0.0
    for index in count(1):
        newer = replace(second, index=index, time=Fraction(index, 25))
        older = replace(first, index=index - 1, time=Fraction(index - 1, 25))
        behind.put(
            replace(result, pair=FramePair(newer, older, starts_segment="start" if index == 1 else None))
        )
        if index % 250 == 0:
            remove_files_but_the_last(100)
        if index == pairs or index % SHOWN == 0:
            settled = settled or resident() * (index >= SETTLED)
            grown = f", {resident() - settled:+.1f} MB" if settled else ""
            print(f"{index} pairs, {resident():.1f} MB{grown}", flush=True)
        if index == pairs:
            break
    behind.finish()
    for sink in sinks:
        sink.close()


def remove_files_but_the_last(kept: int) -> None:
    for folder in (path for path in Path().iterdir() if path.is_dir()):
        for path in sorted(folder.glob("frame_*"))[:-kept]:
            path.unlink(missing_ok=True)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        soak(int(sys.argv[1]), sys.argv[2:] or TARGETS)
