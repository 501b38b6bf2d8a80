"""A Dask cluster on this machine: what its workers write is what one run after the other writes."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.program import ENVIRONMENT, begin, children, contents, run
from tests.support.waiting import until

pytest.importorskip("distributed", reason="needs the extra cluster")

SCENES = [f"demo:{name},size=97x61,frames=40" for name in ("forward", "oblique", "still", "turning")]
OUTPUTS = ("npz:{stem}", "png:{stem}-png", "jsonl:{stem}-log.jsonl", "{stem}.mp4", "depth:{stem}-depth.mkv")
TARGETS = ("--depth", *(word for output in OUTPUTS for word in ("-o", output)), "-o", "poses:{stem}.txt")


@contextmanager
def dask(*words: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "dask", *words], stderr=subprocess.DEVNULL, env=ENVIRONMENT
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def cluster(folder: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """Address of a scheduler, and its two workers."""
    file = folder / "scheduler.json"
    where = ("--scheduler-file", str(file))
    local = ("--no-dashboard", "--host", "127.0.0.1")
    worker = ("worker", *where, *local, "--nthreads", "1", "--no-nanny", "--local-directory", str(folder))
    with dask("scheduler", *where, *local, "--port", "0"):
        until(file.exists, 100)
        from distributed import Client

        with dask(*worker) as first, dask(*worker) as second, Client(scheduler_file=str(file)) as client:
            client.wait_for_workers(2, timeout=100)
            yield client.scheduler.address, [first, second]


def half_done(folder: Path) -> Path | None:
    """A video that is being looked at and is not near its end."""
    counts = {png: len(list(png.glob("frame_*.png"))) for png in folder.glob("*-png")}
    return next((png for png, count in counts.items() if 3 <= count < 20), None)


@pytest.fixture(scope="module")
def serial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("serial")
    run(folder, *SCENES, *TARGETS)
    return folder


def test_a_worker_that_is_killed_costs_a_retry_and_nothing_else(serial: Path, tmp_path: Path) -> None:
    together = tmp_path / "together"
    together.mkdir()
    with cluster(tmp_path) as (address, workers):
        process = begin(together, *SCENES, *TARGETS, "--scheduler", address)
        until(lambda: half_done(together) and all(children(worker.pid) for worker in workers), 200)
        orphans = children(workers[0].pid)
        workers[0].send_signal(signal.SIGKILL)
        _, said = process.communicate(timeout=250)
    assert process.returncode == 0, said
    assert said.splitlines()[-1] == "4 sources: 4 done"
    assert contents(together) == contents(serial)
    assert not any(Path(f"/proc/{orphan}/exe").exists() for orphan in orphans)


def test_what_exists_is_refused_and_what_is_finished_skipped(serial: Path, tmp_path: Path) -> None:
    before = contents(serial)
    with cluster(tmp_path) as (address, _):
        refused = run(serial, SCENES[0], *TARGETS, "--scheduler", address, code=4)
        assert "holds an earlier output" in refused.stderr
        skipped = run(serial, *SCENES, *TARGETS, "--scheduler", address, "-n")
        assert skipped.stderr.splitlines()[-1] == "4 sources: 4 skipped"
    assert contents(serial) == before


def test_ctrl_c_ends_the_tasks_and_leaves_the_cluster(tmp_path: Path) -> None:
    long = [scene.replace("frames=40", "frames=100000") for scene in SCENES[:3]]
    with cluster(tmp_path) as (address, workers):
        process = begin(tmp_path, *long, *TARGETS, "--scheduler", address)
        until(lambda: half_done(tmp_path) and all(children(worker.pid) for worker in workers), 200)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=100)
        assert process.returncode == 130, said
        assert said.count("\ninterrupted ") == 3, said
        assert list(tmp_path.glob("*.mp4"))
        assert not list(tmp_path.glob("*.part.*"))
        run(tmp_path, "demo:still,size=64x48,frames=3", "-o", "jsonl:log", "--scheduler", address)
        assert [worker.poll() for worker in workers] == [None, None]


def test_no_scheduler_is_one_line(tmp_path: Path) -> None:
    started = time.monotonic()
    refused = run(tmp_path, SCENES[0], "--scheduler", "tcp://127.0.0.1:9", code=2)
    assert refused.stderr.count("\n") == 1
    assert "--scheduler tcp://127.0.0.1:9" in refused.stderr
    assert time.monotonic() - started < 100
