"""Damage video files at random and see what the video source makes of them.

    python -m tests.stress.fuzz_sources --count 2000 --seed 1

Files are read in another process with a time limit, so that a crash or a hang is seen. A finding is a crash,
a hang, an exception that is no `SourceError`, an index or a time that goes back, a lost frame without a gap,
or fewer frames than PyAV gives when it decodes packet by packet. Losses that leave no trace in the file, such
as a whole fragment cut from its end, are listed as silent.
"""

from __future__ import annotations

import argparse
import itertools
import json
import select
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from sources.video import VideoSource
from streamflow.errors import SourceError
from streamflow.values import Health
from tests.support.clips import plain_count, write_clip

TIME_LIMIT = 60.0  # seconds a file; a busy machine needs many to start the process that reads it
COUNT = 60  # frames a clip
FRAGMENTS = {"movflags": "frag_keyframe+empty_moov"}
CLIPS = {
    "h264.mp4": ("libx264", {"container_options": {"movflags": "faststart"}}),
    "fragmented.mp4": ("libx264", {"options": {"g": "10"}, "container_options": FRAGMENTS}),
    "vp9.webm": ("libvpx-vp9", {"options": {"deadline": "realtime", "cpu-used": "8"}}),
    "h264.mkv": ("libx264", {"options": {"g": "12"}}),
    "mpeg2.ts": ("mpeg2video", {}),
    "hevc.ts": ("libx265", {"options": {"x265-params": "log-level=none"}}),
    "mpeg4.avi": ("mpeg4", {"options": {"bf": "2"}}),
    "prores.mov": ("prores_ks", {"pix_fmt": "yuv422p10le"}),
    "mjpeg.mkv": ("mjpeg", {"pix_fmt": "yuvj420p"}),
    "h264.flv": ("libx264", {}),
    "animation.gif": ("gif", {"pix_fmt": "rgb8"}),
    "av1.mp4": ("libsvtav1", {"options": {"preset": "12"}}),
}

Mutation = Callable[[bytearray, bytes, np.random.Generator], bytearray]


def flip(data: bytearray, other: bytes, rng: np.random.Generator) -> bytearray:
    """Up to 300 bits anywhere."""
    for place in rng.integers(0, len(data), 2 ** int(rng.integers(0, 9))):
        data[place] ^= 1 << int(rng.integers(0, 8))
    return data


def flip_header(data: bytearray, other: bytes, rng: np.random.Generator) -> bytearray:
    """A few bits in the first kilobyte."""
    for place in rng.integers(0, min(1024, len(data)), int(rng.integers(1, 5))):
        data[place] ^= 1 << int(rng.integers(0, 8))
    return data


def cut_off(data: bytearray, other: bytes, rng: np.random.Generator) -> bytearray:
    """Anywhere."""
    return data[: int(rng.integers(1, len(data)))]


def hole(data: bytearray, other: bytes, rng: np.random.Generator) -> bytearray:
    """Zeros over up to a third."""
    start, length = int(rng.integers(0, len(data))), int(rng.integers(1, len(data) // 3))
    data[start : start + length] = bytes(len(data[start : start + length]))
    return data


def leave_out(data: bytearray, other: bytes, rng: np.random.Generator) -> bytearray:
    """A piece of up to a third is not there."""
    start, length = int(rng.integers(0, len(data))), int(rng.integers(1, len(data) // 3))
    del data[start : start + length]
    return data


def splice(data: bytearray, other: bytes, rng: np.random.Generator) -> bytearray:
    """Another file's beginning."""
    length = int(rng.integers(8, 2048))
    return bytearray(other[:length]) + data[length:]


MUTATIONS: tuple[Mutation, ...] = (flip, flip_header, cut_off, hole, leave_out, splice)


def mutants(folder: Path, count: int, seed: int) -> Iterator[tuple[str, Path]]:
    """(what was done, file), `count` of them; the same for the same seed."""
    rng = np.random.default_rng(seed)
    contents = {
        name: write_clip(folder / name, codec, count=COUNT, **how).read_bytes()
        for name, (codec, how) in CLIPS.items()
    }
    ways = itertools.cycle(itertools.product(CLIPS, MUTATIONS))
    for number, (name, mutate) in enumerate(itertools.islice(ways, count)):
        other = contents[list(CLIPS)[int(rng.integers(len(CLIPS)))]]
        path = folder / f"mutant{Path(name).suffix}"
        path.write_bytes(mutate(bytearray(contents[name]), other, rng))
        yield f"{number} {name} {mutate.__name__}", path


def judge(path: Path) -> str:
    """Read `path`: "refused" or "read", or what is wrong."""
    try:
        source = VideoSource(str(path))
    except SourceError as error:
        few = plain_count(path) if "\n" not in str(error) else -1
        return "refused" if few == 0 else f"FINDING refused, but PyAV gives {few} frames: {error}"
    previous, count = None, 0
    for frame in source:
        count += 1
        if previous is not None:
            if frame.index <= previous.index:
                return f"FINDING index {previous.index} then {frame.index}"
            if frame.time is not None and previous.time is not None and frame.time < previous.time:
                return f"FINDING time {previous.time} then {frame.time}"
            if frame.index > previous.index + 1 and not frame.gap:
                return f"FINDING hole before {frame.index} without a gap"
            if frame.size != previous.size and not frame.gap:
                return f"FINDING size changes at {frame.index} without a gap"
        previous = frame
    source.close()
    plain = plain_count(path)
    if count < plain:
        return f"FINDING {count} frames, PyAV gives {plain}"
    if count < COUNT and source.health == Health(decoded=count):
        return f"silent: {count} frames of {COUNT} and no sign of damage"
    return "read"


def work() -> None:
    """Judge the files named on stdin."""
    for line in sys.stdin:
        try:
            verdict = judge(Path(line.strip()))
        except Exception as error:
            verdict = f"FINDING {type(error).__name__}: {error}"
        print(json.dumps(verdict), flush=True)


class Worker:
    """A process that judges files; replaced when it crashes or hangs."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def judge(self, path: Path) -> str:
        process = self._process or subprocess.Popen(
            [sys.executable, "-m", "tests.stress.fuzz_sources", "--work"],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._process = process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{path}\n")
        process.stdin.flush()
        ready, _, _ = select.select([process.stdout], [], [], TIME_LIMIT)
        line = process.stdout.readline() if ready else ""
        if line:
            return str(json.loads(line))
        self.close()
        return f"FINDING crash ({process.returncode})" if ready else f"FINDING hang of {TIME_LIMIT:g} s"

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


def fuzz(count: int, seed: int, keep: Path | None = None) -> dict[str, str]:
    """Verdicts on `count` mutants; files with findings are kept in `keep`."""
    worker = Worker()
    verdicts = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, path in mutants(Path(folder), count, seed):
            verdicts[name] = worker.judge(path)
            if keep is not None and verdicts[name].startswith(("FINDING", "silent")):
                keep.mkdir(exist_ok=True)
                (keep / name.replace(" ", "_")).with_suffix(path.suffix).write_bytes(path.read_bytes())
    worker.close()
    return verdicts


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="folder for the files with findings")
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        work()
        return 0
    verdicts = fuzz(arguments.count, arguments.seed, arguments.keep)
    for name, verdict in verdicts.items():
        if verdict.startswith(("FINDING", "silent")):
            print(f"{name}: {verdict}")
    print(Counter(verdict.partition(":")[0].partition(" ")[0] for verdict in verdicts.values()))
    return int(any(verdict.startswith("FINDING") for verdict in verdicts.values()))


if __name__ == "__main__":
    sys.exit(main())
