"""Which sources a command line names, and which part of them is whose."""

from __future__ import annotations

import argparse
import io
from pathlib import Path

import pytest

from streamflow.cli.outcome import Outcome, worst
from streamflow.cli.shard import shard
from streamflow.cli.specs import expanded
from streamflow.errors import SourceError


@pytest.fixture(autouse=True)
def current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def touch(*names: str) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()


def test_a_pattern_of_videos_is_each_of_them_in_natural_order():
    touch("clips/clip10.mp4", "clips/clip9.mp4", "clips/.clip1.mp4", "clips/notes.txt")
    assert expanded(["demo", "clips/*.mp4"]) == ["demo", "clips/clip9.mp4", "clips/clip10.mp4"]


def test_a_pattern_of_images_is_one_source():
    touch("left/1.png", "left/2.png", "left/times.txt")
    assert expanded(["left/*.png", "left/*", "left/%d.png"]) == ["left/*.png", "left/*", "left/%d.png"]


def test_a_pattern_of_folders_is_each_of_them():
    touch("runs/2/0.png", "runs/10/0.png")
    assert expanded(["runs/*"]) == ["runs/2", "runs/10"]


@pytest.mark.parametrize("name", ["what[1].mp4", "http://192.0.2.7/*.mp4", "nothing/*.mp4"])
def test_what_is_no_pattern_or_matches_nothing_stays(name):
    touch("what[1].mp4", "what1.mp4")
    assert expanded([name]) == [name]


def test_a_list_names_sources_line_by_line(monkeypatch):
    touch("a b.mp4", "c1.mp4", "c2.mp4")
    Path("list").write_text("# of today\n\n  a b.mp4\nc*.mp4\ndemo:still\n")
    assert expanded(["@list"]) == ["a b.mp4", "c1.mp4", "c2.mp4", "demo:still"]
    monkeypatch.setattr("sys.stdin", io.StringIO("c1.mp4\n"))
    assert expanded(["@-", "demo"]) == ["c1.mp4", "demo"]


@pytest.mark.parametrize(("content", "reason"), [(None, "No such file"), (b"# none\n", "names no source"),
                                                 (b"\xff\xfe\x00", "not text")])  # fmt: skip
def test_a_list_without_sources_is_an_error(content, reason):
    if content is not None:
        Path("list").write_bytes(content)
    with pytest.raises(SourceError, match=reason):
        expanded(["@list"])


@pytest.mark.parametrize("numbers", [range(5), range(1, 6)], ids=["from 0", "from 1"])
@pytest.mark.parametrize("length", [0, 3, 5, 17])
def test_every_source_is_in_one_part(numbers, length):
    parts = [i for number in numbers for i in shard(f"{number}/5").of(length)]
    assert sorted(parts) == list(range(length))


def slurm(number: int, **more: str) -> dict[str, str]:
    """What Slurm sets for a task of `--array=3-9:2`."""
    return {"SLURM_ARRAY_TASK_ID": str(number), "SLURM_ARRAY_TASK_COUNT": "4", "SLURM_ARRAY_TASK_MIN": "3",
            "SLURM_ARRAY_TASK_STEP": "2", **more}  # fmt: skip


def test_auto_is_the_part_of_a_slurm_array_or_an_indexed_job():
    parts = [i for number in (3, 5, 7, 9) for i in shard("auto", slurm(number)).of(10)]
    assert sorted(parts) == list(range(10))
    pods = [i for number in range(3) for i in shard("auto/3", {"JOB_COMPLETION_INDEX": str(number)}).of(10)]
    assert sorted(pods) == list(range(10))


@pytest.mark.parametrize(
    ("text", "environment", "reason"),
    [
        ("4/3", {}, "no part 4 of 3"),
        ("1/0", {}, "no part 1 of 0"),
        ("half", {}, "neither I/N nor auto"),
        ("auto", {}, "is set; write I/N"),
        ("auto", {"JOB_COMPLETION_INDEX": "1"}, "write auto/N"),
        ("auto", slurm(22), "no part 9 of 4"),
    ],
)
def test_a_part_that_is_not_there_is_an_error(text, environment, reason):
    with pytest.raises(argparse.ArgumentTypeError, match=reason):
        shard(text, environment)


def test_the_worst_is_told():
    """Damaged is less than failed, whatever the numbers; an interruption is above all."""
    order = [0, 5, 1, 2, 3, 4, 130, 143]
    for i, code in enumerate(order):
        assert worst([Outcome(lesser) for lesser in order[: i + 1]]) == code
    assert worst([]) == 0
