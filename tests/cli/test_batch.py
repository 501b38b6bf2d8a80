"""Many sources in one command: none stops the others, and every one is accounted for."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import av
import pytest

from tests.support.clips import packet_bytes, write_clip, zero_hole
from tests.support.program import begin, children, contents, run
from tests.support.waiting import until

TARGETS = ("--plot_flow", "-o", "npz:out/{stem}", "-o", "jsonl:out/{stem}-log.jsonl", "-o", "out/{stem}.mkv")
LONG = ("demo:forward,size=97x61,frames=100000", "demo:oblique,size=97x61,frames=100000")


def table(done: subprocess.CompletedProcess[str] | str) -> dict[str, str]:
    """State and reason of every source, from the closing lines."""
    states = ("done ", "skipped ", "damaged ", "interrupted ", "failed ")
    said = done if isinstance(done, str) else done.stderr
    rows = [line.split(maxsplit=1) for line in said.splitlines() if line.startswith(states)]
    return {rest.partition(":")[0] if "demo" not in rest else rest: state for state, rest in rows}


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A good clip, a damaged one, one that is none, and a folder."""
    folder = tmp_path_factory.mktemp("batch")
    write_clip(folder / "good.mp4", count=5)
    path = write_clip(folder / "damaged.mov", "prores_ks", pix_fmt="yuv422p10le", count=6)
    start, size = packet_bytes(path)[3]
    zero_hole(path, start + size // 4, size // 2)
    (folder / "text.mp4").write_text("this is no video\n" * 50)
    return folder


SOURCES = ("good.mp4", "text.mp4", "damaged.mov", "nowhere.mp4", "demo:still,size=64x48,frames=4")


@pytest.fixture(scope="module")
def two_at_once(videos: Path) -> subprocess.CompletedProcess[str]:
    return run(videos, *SOURCES, *TARGETS, "--jobs", "2", code=3)


def test_the_others_go_on_and_a_table_tells_of_each(two_at_once: subprocess.CompletedProcess[str]) -> None:
    assert table(two_at_once) == {
        "good.mp4": "done",
        SOURCES[-1]: "done",
        "damaged.mov": "damaged",
        "text.mp4": "failed",
        "nowhere.mp4": "failed",
    }
    *_, last = two_at_once.stderr.splitlines()
    assert last == "5 sources: 2 done, 1 damaged, 2 failed"
    assert "nowhere.mp4: no such file" in two_at_once.stderr
    assert "errors against the truth" in two_at_once.stdout  # what the demo prints
    assert "Traceback" not in two_at_once.stderr


def test_each_writes_what_it_writes_alone(
    videos: Path, two_at_once: subprocess.CompletedProcess[str], tmp_path: Path
) -> None:
    (tmp_path / "good.mp4").symlink_to(videos / "good.mp4")
    run(tmp_path, "good.mp4", *TARGETS)
    (tmp_path / "good.mp4").unlink()
    alone, together = contents(tmp_path), contents(videos)
    assert len(alone) > 6
    assert {name: together[name] for name in alone} == alone


def test_what_is_finished_is_skipped_unless_the_settings_changed(
    videos: Path, two_at_once: subprocess.CompletedProcess[str]
) -> None:
    before = contents(videos)
    again = run(videos, "good.mp4", "damaged.mov", "text.mp4", *TARGETS, "-n", code=3)
    assert table(again) == {"good.mp4": "skipped", "damaged.mov": "skipped", "text.mp4": "failed"}
    other = run(videos, "good.mp4", *TARGETS, "-n", "--threshmin", "9", code=4)
    assert table(other) == {"good.mp4": "failed"}
    assert "-y replaces it" in other.stderr
    assert contents(videos) == before
    replaced = run(videos, "good.mp4", "damaged.mov", *TARGETS, "-ny", "--threshmin", "9", code=5)
    assert table(replaced) == {"good.mp4": "done", "damaged.mov": "damaged"}
    assert contents(videos) != before


def test_a_run_of_one_source_is_known_to_be_finished_too(tmp_path: Path) -> None:
    demo = "demo:still,size=64x48,frames=4"
    run(tmp_path, demo, "-o", "jsonl:log.jsonl")
    before = contents(tmp_path)
    assert table(run(tmp_path, demo, "-o", "jsonl:log.jsonl", "-n")) == {demo: "skipped"}
    assert contents(tmp_path) == before


def test_shards_share_the_sources_out(tmp_path: Path) -> None:
    demos = [f"demo:{name},size=64x48,frames=3" for name in ("still", "forward", "oblique")]
    target = ("--plot_flow", "-o", "jsonl:{stem}.jsonl")
    assert len(table(run(tmp_path, *demos, *target, "--shard", "0/2"))) == 2
    assert len(table(run(tmp_path, *demos, *target, "--shard", "1/2"))) == 1
    assert len(list(tmp_path.glob("*.jsonl"))) == 3
    nothing = run(tmp_path, *demos, *target, "--shard", "4/5")
    assert nothing.stderr == "0 sources: none of them in this part\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("a/clip.mp4", "b/clip.mp4"), "{parent}"),
        (("a/clip.mp4", "b/clip.mp4", "-o", "out.mp4"), "{stem}"),
        (("a/clip.mp4", "demo:still,size=64x48", "-o", "jsonl:{stem}", "-o", "jsonl:-"), "jsonl:-"),
        (("a/clip.mp4", "-"), "standard input"),
        (("a/clip.mp4", "--jobs", "0"), "--jobs"),
        (("a/clip.mp4", "--jobs", "2", "--scheduler", "tcp://127.0.0.1:1"), "--scheduler"),
        (("a/clip.mp4", "--shard", "3/2"), "--shard"),
    ],
)
def test_a_mistake_is_told_before_the_start(arguments: tuple[str, ...], words: str, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_clip(tmp_path / name / "clip.mp4", count=3)
    before = contents(tmp_path)
    refused = run(tmp_path, *arguments, code=2)
    assert len(refused.stderr.splitlines()) == 1, refused.stderr
    assert words in refused.stderr
    assert contents(tmp_path) == before


def test_the_folder_tells_sources_of_one_name_apart(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_clip(tmp_path / name / "clip.mp4", count=3)
    run(tmp_path, "*/clip.mp4", "--plot_flow", "-o", "flo:{parent}-{stem}")
    assert sorted(path.name for path in tmp_path.glob("?-clip")) == ["a-clip", "b-clip"]


def pairs(path: Path) -> int:
    return len(path.read_bytes().splitlines()) if path.exists() else 0


def growing(folder: Path) -> list[Path]:
    return [folder / f"out/demo_{name}-log.part.jsonl" for name in ("forward", "oblique")]


def test_ctrl_c_closes_every_output_of_all(tmp_path: Path) -> None:
    process = begin(tmp_path, *LONG, "demo:still,size=64x48", *TARGETS, "--jobs", "2")
    until(lambda: all(pairs(path) > 2 for path in growing(tmp_path)), 200)
    workers = children(process.pid)
    for worker in workers:
        os.kill(worker, signal.SIGTERM)  # as Slurm does to every process of a job
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=100)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert set(table(said).values()) == {"interrupted"}
    assert len(table(said)) == 3
    for name in ("forward", "oblique"):
        lines = pairs(tmp_path / f"out/demo_{name}-log.jsonl")
        with av.open(str(tmp_path / f"out/demo_{name}.mkv")) as container:
            assert len(list(container.decode(video=0))) == lines > 2
        assert len(list((tmp_path / f"out/demo_{name}").glob("*.npz"))) == lines
    assert not list(tmp_path.glob("out/.*"))  # nothing is taken for finished
    assert not any(Path(f"/proc/{worker}").exists() for worker in workers)
    (line,) = (line for line in said.splitlines() if line.startswith("to continue: "))
    assert {"--resume", "-n", "--jobs"} < set(line.split())


def test_a_process_that_is_killed_stops_no_other(tmp_path: Path) -> None:
    process = begin(tmp_path, LONG[0], "demo:still,size=64x48,frames=3", *TARGETS, "--jobs", "1")
    until(lambda: pairs(growing(tmp_path)[0]) > 1, 200)
    (worker,) = children(process.pid)
    subprocess.run(["kill", "-9", str(worker)], check=True)
    _, said = process.communicate(timeout=100)
    assert process.returncode == 1, said
    assert sorted(table(said).values()) == ["done", "failed"]
    assert "ended by SIGKILL" in said


def test_what_is_killed_takes_its_processes_along(tmp_path: Path) -> None:
    process = begin(tmp_path, *LONG, *TARGETS, "--jobs", "2")
    until(lambda: all(pairs(path) > 1 for path in growing(tmp_path)), 200)
    workers = children(process.pid)
    assert len(workers) == 2
    process.kill()
    process.communicate()
    until(lambda: not any(Path(f"/proc/{worker}/exe").exists() for worker in workers))
