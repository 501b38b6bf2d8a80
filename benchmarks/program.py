"""Speed of the whole program, from a video file to an annotated one, with one thread and with several.

Pairs a second are those of a long run less a short one, so that starting costs nothing; all take turns with
OpenCV's DIS MEDIUM alone, on one core, on the same frames. Figures are medians of ratios within a round.

    python benchmarks/program.py FILE [--rounds N] [--threads N] [-- OPTIONS OF stream.py]
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from itertools import islice, pairwise
from pathlib import Path
from statistics import median

import cv2

sys.path.insert(0, str(Path(__file__).parent.parent))

from sources import open_source
from streamflow.compiling import cores

PROGRAM = Path(__file__).parent.parent / "stream.py"
SHORT, LONG = 8, 48  # frames


def main() -> None:
    """Print pairs a second, the ratios, and the largest resident memory."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=cores())
    parser.add_argument("options", nargs="*", default=["--depth"], help="of stream.py, after --")
    arguments = parser.parse_args()
    source = str(Path(arguments.file).resolve())
    one, several, peer = [], [], []
    for _ in range(arguments.rounds):
        one.append(program(source, 1, arguments.options))
        several.append(program(source, arguments.threads, arguments.options))
        peer.append(dense_inverse_search(source))
    print(
        f"pairs a second, one thread: {median(one):.2f}, {arguments.threads} threads: {median(several):.2f}"
    )
    print(f"{arguments.threads} threads over one: {ratio(several, one):.2f}")
    print(f"{arguments.threads} threads over DIS MEDIUM alone on one core: {ratio(several, peer):.2f}")
    print(f"most memory: {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024} MB")


def program(source: str, threads: int, options: list[str]) -> float:
    """Pairs a second of stream.py."""
    return (LONG - SHORT) / (
        _seconds(source, threads, options, LONG) - _seconds(source, threads, options, SHORT)
    )


def _seconds(source: str, threads: int, options: list[str], frames: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        words = ["--frames", str(frames), "--threads", str(threads), "-o", f"{folder}/out.mp4", "--quiet"]
        command = [sys.executable, str(PROGRAM), source, *options, *words]
        started = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        return time.perf_counter() - started


def dense_inverse_search(source: str) -> float:
    """Pairs a second of OpenCV's method; nothing is decoded or written meanwhile."""
    with closing(open_source(source)) as opened:
        greys = [frame.grey for frame in islice(opened, SHORT)]
    cv2.setNumThreads(1)
    method = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    started = time.perf_counter()
    for target, reference in pairwise(greys):
        method.calc(reference, target, None)  # type: ignore[call-overload]
    return (len(greys) - 1) / (time.perf_counter() - started)


def ratio(above: list[float], below: list[float]) -> float:
    """Median of the ratios within a round."""
    return median(a / b for a, b in zip(above, below, strict=True))


if __name__ == "__main__":
    main()
