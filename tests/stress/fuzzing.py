"""What the fuzzers share: ways to damage bytes, and a process with a time limit that judges files.

A judge is a function of a path in a module that calls `run`: it says "read", "refused", or "FINDING ..." of
what must not be. A crash, a hang and an exception that it does not expect are findings, too.
"""

from __future__ import annotations

import argparse
import json
import select
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

TIME_LIMIT = 60.0  # seconds a file; a busy machine needs many to start the process that reads it

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


Mutants = Callable[[Path, int, int], Iterator[tuple[str, Path]]]  # folder to work in, how many, seed
Judge = Callable[[Path], str]


def work(judge: Judge) -> None:
    """Judge what is named on stdin."""
    for line in sys.stdin:
        try:
            verdict = judge(Path(line.strip()))
        except Exception as error:
            verdict = f"FINDING {type(error).__name__}: {error}"
        print(json.dumps(verdict), flush=True)


class Worker:
    """A process that judges files; replaced when it crashes or hangs."""

    def __init__(self, module: str) -> None:
        self._module = module
        self._process: subprocess.Popen[str] | None = None

    def judge(self, path: Path) -> str:
        process = self._process or subprocess.Popen(
            [sys.executable, "-m", self._module, "--work"],
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


def fuzz(module: str, mutants: Mutants, count: int, seed: int, keep: Path | None = None) -> dict[str, str]:
    """Verdicts on `count` mutants; those with findings are kept in `keep`."""
    worker = Worker(module)
    verdicts = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, path in mutants(Path(folder), count, seed):
            verdicts[name] = worker.judge(path)
            if keep is not None and verdicts[name].startswith(("FINDING", "silent")):
                copy = (keep / name.replace(" ", "_").replace("/", "_")).with_suffix(path.suffix)
                keep.mkdir(exist_ok=True)
                shutil.copytree(path, copy) if path.is_dir() else shutil.copy(path, copy)
    worker.close()
    return verdicts


def run(module: str, mutants: Mutants, judge: Judge, about: str | None) -> int:
    """Read the command line of a fuzzer and do what it says; 1 if there are findings."""
    parser = argparse.ArgumentParser(description=(about or "").partition("\n")[0])
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="folder for the files with findings")
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        work(judge)
        return 0
    verdicts = fuzz(module, mutants, arguments.count, arguments.seed, arguments.keep)
    for name, verdict in verdicts.items():
        if verdict.startswith(("FINDING", "silent")):
            print(f"{name}: {verdict}")
    print(Counter(verdict.partition(":")[0].partition(" ")[0] for verdict in verdicts.values()))
    return int(any(verdict.startswith("FINDING") for verdict in verdicts.values()))
