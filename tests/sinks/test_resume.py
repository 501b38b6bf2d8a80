"""Continuing an interrupted run: byte for byte what an undisturbed one writes, or a reason why not."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from sinks import SINKS, open_sink
from sinks.writing.video_file import read_back
from streamflow.errors import SinkError
from tests.support.made_results import make_results, make_run, write_all
from tests.support.program import contents
from tests.support.waiting import until

ROOT = Path(__file__).parents[2]
TARGETS = {
    "video": ["out.mp4", "out.mkv", "out.webm"], "png": ["png:png"], "depth_video": ["depth:maps.mkv"],
    "depth": ["depth:depth"], "flo": ["flo:flo"], "kitti": ["kitti:kitti"], "pfm": ["pfm:pfm"],
    "npz": ["npz:npz"], "ply": ["ply:ply"], "jsonl": ["jsonl:log.jsonl"], "figure": ["figure:figure"],
    "poses": ["poses:trajectory.txt"], "mask": ["mask:masks"], "exr": ["exr:exr"],
}  # fmt: skip
FOLDERS = ["png:out", "depth:out", "npz:out"]


def resuming(**changes):
    return replace(make_run(), resume=True, **changes)


def abandoned(target: str, count: int) -> None:
    """Write `count` pairs and no more: what is on disk is what a killed process leaves."""
    sink = open_sink(target, make_run())
    for result in make_results()[:count]:
        sink.write(result)


def test_every_registered_file_sink_is_continued_here() -> None:
    files = {name for name, entry in SINKS.entries.items() if entry.keeps}
    assert set(TARGETS) == files - {"bag"}  # which is begun anew: tests/sinks/test_bag.py


@pytest.mark.parametrize("target", [target for targets in TARGETS.values() for target in targets])
@pytest.mark.parametrize("count", [0, 1, 3, 5])
def test_a_killed_run_ends_as_an_undisturbed_one(target, count, tmp_path, monkeypatch):
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        if name == "killed":
            abandoned(target, count)
        write_all(open_sink(target, resuming()), make_results())
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")


@pytest.mark.parametrize("target", FOLDERS)
def test_a_torn_line_a_file_not_listed_and_a_damaged_file_are_put_right(target, current_folder):
    write_all(open_sink(target, make_run()), make_results())
    whole = contents(current_folder)
    *_, third, fourth, fifth = sorted(Path("out").glob("frame_*"))
    manifest = Path("out/manifest.jsonl").read_bytes().splitlines(keepends=True)
    Path("out/manifest.jsonl").write_bytes(b"".join(manifest[:-2]) + manifest[-2][:-7])
    third.write_bytes(third.read_bytes()[:-1] + b"?")
    fifth.rename(f"{fifth}.part")
    before = fourth.stat().st_ino
    write_all(open_sink(target, resuming()), make_results())
    assert contents(current_folder) == whole
    assert fourth.stat().st_ino != before  # it was not listed


@pytest.mark.parametrize("target", FOLDERS)
def test_what_is_whole_is_not_written_again(target):
    write_all(open_sink(target, make_run()), make_results())
    before = {path: path.stat().st_ino for path in Path("out").glob("frame_*")}
    write_all(open_sink(target, resuming()), make_results())
    assert {path: path.stat().st_ino for path in Path("out").glob("frame_*")} == before


def test_the_measured_times_of_lines_that_are_there_stay():
    abandoned("jsonl:log.jsonl", 3)
    slower = [replace(result, timing={"flow": 99.0}) for result in make_results()]
    write_all(open_sink("jsonl:log.jsonl", resuming()), slower)
    lines = [json.loads(line) for line in Path("log.jsonl").read_text().splitlines()]
    assert [line["timing_ms"]["flow"] for line in lines] == [12.5, 12.5, 12.5, 99.0, 99.0]


@pytest.mark.parametrize("target", ["out.mp4", "out.mkv", "depth:out.mkv", "png:out", "npz:out"])
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"settings": {"threshmin": 20.0, "flow": "balanced"}}, r"--threshmin was 10\.0, is 20\.0"),
        ({"settings": {"threshmin": 10.0}}, "--flow was balanced, is None"),
        ({"source_state": "2 files, 1234"}, "the state of the source's files was None, is 2 files"),
        (
            {"source": replace(make_run().source, name="other.mp4")},
            r"the source was made\.mp4, is other\.mp4",
        ),
    ],
    ids=["setting", "setting that is gone", "file changed", "source"],
)
def test_another_run_is_refused_before_it_begins_and_nothing_changes(target, changes, reason, current_folder):
    write_all(open_sink(target, make_run()), make_results()[:3])
    before = contents(current_folder)
    with pytest.raises(SinkError, match=reason):
        open_sink(target, resuming(**changes))
    assert contents(current_folder) == before


@pytest.mark.parametrize("target", ["jsonl:log.jsonl", "flo:flo"])
def test_another_content_is_refused_and_nothing_changes(target, current_folder):
    write_all(open_sink(target, make_run()), make_results()[:3])
    before = contents(current_folder)
    result = make_results()[0]
    other = replace(result, motion=None, flow=replace(result.flow, vectors=result.flow.vectors + 1))
    sink = open_sink(target, resuming())
    with pytest.raises(SinkError, match="it says something else of frame 1"):
        sink.write(other)
    sink.close()
    assert contents(current_folder) == before


@pytest.mark.parametrize("target", ["out.mp4", "jsonl:out.jsonl"])
def test_a_file_of_somebody_else_is_never_continued(target, current_folder):
    path = Path(target.removeprefix("jsonl:"))
    path.write_text("mine\n")
    with pytest.raises(SinkError, match="is not an output of streamflow"):
        write_all(open_sink(target, resuming()), make_results())
    assert contents(current_folder) == {path.name: b"mine\n"}


@pytest.mark.parametrize("target", ["out.mp4", "out.mkv"])
@pytest.mark.parametrize("killed", [True, False])
def test_a_continuation_that_ends_early_shortens_no_video(target, killed):
    if killed:
        abandoned(target, 5)
    else:
        write_all(open_sink(target, make_run()), make_results())
    part = Path(target).with_suffix(".part" + Path(target).suffix)
    before = read_back(part if killed else Path(target))[1]
    write_all(open_sink(target, resuming()), make_results()[:1])
    assert read_back(Path(target))[1] == before > 1 or killed
    assert not part.exists()


def test_a_pipe_cannot_be_continued():
    with pytest.raises(SinkError, match="a pipe cannot be continued"):
        open_sink("jsonl:-", resuming())


SCENE = "demo:oblique,size=161x101,frames=20"
OUTPUTS = [
    word for name in TARGETS if name != "figure" for target in TARGETS[name] for word in ("-o", target)
]
COMMAND = [sys.executable, str(ROOT / "stream.py"), SCENE, "--depth", "--planar_flow", *OUTPUTS]


def test_kill_9_at_any_moment_and_resume(tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for folder in (whole, killed):
        folder.mkdir()
    subprocess.run(COMMAND, cwd=whole, check=True, capture_output=True, timeout=200)
    moments = random.Random(5)
    for _ in range(2):
        process = subprocess.Popen([*COMMAND, "--resume"], cwd=killed, stderr=subprocess.PIPE)
        begun = len(list(killed.glob("png/*.png")))
        more = begun + 2
        until(lambda: process.poll() is not None or len(list(killed.glob("png/*.png"))) >= more)  # noqa: B023
        time.sleep(moments.random())
        process.send_signal(signal.SIGKILL)
        process.communicate()
    done = subprocess.run([*COMMAND, "--resume"], cwd=killed, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    assert contents(killed) == contents(whole)


def test_ctrl_c_prints_the_command_that_continues(tmp_path: Path) -> None:
    scene = "demo:oblique,size=97x61,frames=200"  # long enough not to end before the signal comes
    command = [sys.executable, str(ROOT / "stream.py"), scene, "-o", "png:png", "-o", "jsonl:log.jsonl", "-y"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    until(lambda: len(list(tmp_path.glob("png/*.png"))) >= 3)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 143, said
    (line,) = (line for line in said.splitlines() if line.startswith("to continue: "))
    printed = line.removeprefix("to continue: ")
    assert subprocess.run(printed, shell=True, cwd=tmp_path, capture_output=True, timeout=200).returncode == 0
    assert len((tmp_path / "log.jsonl").read_text().splitlines()) == 199
    assert len(list(tmp_path.glob("png/*.png"))) == 199


def test_a_calibration_file_that_changed_is_refused(tmp_path: Path) -> None:
    camera = tmp_path / "camera.txt"
    command = [
        sys.executable, str(ROOT / "stream.py"), "demo:still,size=64x48,frames=3",
        "--camera", str(camera), "--plot_flow", "-o", "flo:flo", "--resume",
    ]  # fmt: skip
    camera.write_text("60 60 31.5 23.5\n")
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=200)
    camera.write_text("50 60 31.5 23.5\n")
    refused = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=200)
    assert refused.returncode == 4
    assert "cannot be continued: --camera was" in refused.stderr
