"""Compiling ahead of the first pair: every core takes kernels from one list until none is left.

Each kernel of the flow is compiled for its signature. The other stages' take the types they are called with;
they are compiled by running the stages over a few small frames whose flow is given. Whoever makes the file of
a task's name first has the task. Run as ``python -m streamflow.compiling FOLDER FLOW_METHOD STAGE``.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numba
import numpy as np

from streamflow.kernels import jit
from streamflow.options import FlowMethod, Options
from streamflow.stages import Stage
from streamflow.values import Frame, Image, Map, Vectors

MOST_WORKERS = 8  # more would compile the functions they share more often than they save
STAGES = "stages"  # the task that runs them; the others are kernels of the flow
WIDTH, HEIGHT = 192, 128
FRAMES = 6
STEP = 10.0


class Compilation:
    """What a run has to compile; empty where its machine code is at hand."""

    def __init__(self, stages: Iterable[Stage], method: FlowMethod) -> None:
        self._method = method
        self._last = max({Stage.FLOW, *stages}, key=list(Stage).index)  # there is no pair without flow
        before = list(Stage)[: list(Stage).index(self._last) + 1]
        names = "plain" if method == "plain" else "flow", *before[1:]
        self._ready = [jit.CACHE / f"ready-{name}-{_target()}" for name in names]

    @property
    def needed(self) -> bool:
        """Whether any of it is missing."""
        return not all(path.exists() for path in self._ready)

    @contextmanager
    def started(self) -> Iterator[Progress]:
        """Context in which processes compile; leaving it early ends them."""
        with TemporaryDirectory() as folder:
            workers = [self._worker(folder) for _ in range(min(cores(), MOST_WORKERS))]
            try:
                yield Progress(Path(folder), workers)
                if not any(worker.wait() for worker in workers):
                    for path in self._ready:
                        path.touch()
            finally:
                for worker in workers:
                    worker.terminate()
                    worker.wait()

    def _worker(self, folder: str) -> subprocess.Popen[bytes]:
        home = str(Path(__file__).parents[1])
        paths = os.pathsep.join([home, os.environ.get("PYTHONPATH", "")])
        words = [sys.executable, "-m", __name__, folder, self._method, self._last]
        quiet = subprocess.DEVNULL
        return subprocess.Popen(
            words, cwd=home, env={**os.environ, "PYTHONPATH": paths}, stdin=quiet, stdout=quiet, stderr=quiet
        )


class Progress:
    """How far the processes are."""

    def __init__(self, folder: Path, workers: list[subprocess.Popen[bytes]]) -> None:
        self._folder, self._workers = folder, workers

    @property
    def going_on(self) -> bool:
        """Whether a process is at work."""
        return any(worker.poll() is None for worker in self._workers)

    @property
    def done(self) -> int:
        """Tasks that are done."""
        return sum(1 for _ in self._folder.glob("*.done"))

    @property
    def total(self) -> int | None:
        """Tasks in all, once it is known."""
        totals = [int(path.suffix[1:]) for path in self._folder.glob("of.*")]
        return max(totals, default=None)


def work(folder: Path, method: FlowMethod, last: Stage) -> None:
    """Take and do tasks until none is left."""
    if _taken(folder, STAGES):
        run_stages(method, last)
        (folder / f"{STAGES}.done").touch()
    jit.deferred = True
    if method != "plain":
        import streamflow.flow.coarse_to_fine  # noqa: F401
    (folder / f"of.{len(jit.PENDING) + 1}").touch()
    for name, compile_it in jit.PENDING.items():
        if _taken(folder, name):
            compile_it()
            (folder / f"{name}.done").touch()


def _taken(folder: Path, name: str) -> bool:
    """Take a task; return whether nobody had it."""
    try:
        (folder / name).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def run_stages(method: FlowMethod, last: Stage) -> None:
    """Run the stages up to `last` over a few frames; the textbook's flow is computed, ours is given."""
    from streamflow.pipeline import results

    engine = None if method == "plain" else KnownFlow()
    for _ in results(_frames(), {last}, Options(flow=method), engine=engine):
        pass


def _frames() -> Iterator[Frame]:
    rng = np.random.default_rng(1)
    texture = rng.integers(0, 256, (HEIGHT, WIDTH, 1), np.uint8).repeat(3, axis=2)
    for index in range(FRAMES):
        texture[0, 0] = index
        yield Frame(index, texture.copy())


class KnownFlow:
    """Flow of a camera between two walls, without looking: a frame's index stands in its first pixel."""

    def prepare(self, grey: Image) -> int:
        """Return the index."""
        return int(grey[0, 0])

    def flow(self, reference: int, target: int, start: Vectors | None = None) -> tuple[Vectors, Map]:
        """Return the flow of a step ahead for every frame between, and a small sigma."""
        y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
        x, y = x - (WIDTH - 1) / 2, y - (HEIGHT - 1) / 2
        inverse_depth = 0.003 + 0.01 * np.abs(x) / WIDTH + 0.005 * (np.abs(y) > HEIGHT / 4)
        nearer = (target - reference) * STEP * inverse_depth
        vectors = np.dstack([x, y]) * (nearer / (1 - nearer))[..., None]
        return vectors.astype(np.float32), np.full((HEIGHT, WIDTH), 0.05, np.float32)


def _target() -> str:
    """Return what machine code is for: Python, numba and the processor."""
    import llvmlite.binding

    processor = os.environ.get("NUMBA_CPU_NAME") or llvmlite.binding.get_host_cpu_name()
    return f"{platform.python_version()}-{numba.__version__}-{processor}"


def cores() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


if __name__ == "__main__":
    work(Path(sys.argv[1]), sys.argv[2], Stage(sys.argv[3]))  # type: ignore[arg-type]
