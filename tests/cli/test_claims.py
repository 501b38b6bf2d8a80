"""Two runs never write one target, and what is finished is known as such."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from streamflow.cli.claims import Claims, is_finished
from streamflow.errors import SinkError

ROOT = Path(__file__).parents[2]
OURS = {"source": "a.mp4", "settings": {"threshmin": 0.2, "view": ("image", "depth")}}


@pytest.fixture(autouse=True)
def current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def finish(path: Path, provenance=OURS) -> None:
    claims = Claims([path])
    claims.begin()
    path.write_text("content")
    claims.finish(provenance)
    claims.release()


def test_a_second_run_is_refused_until_the_first_lets_go(current_folder):
    first = Claims([Path("out.mp4"), Path("maps")])
    with pytest.raises(SinkError, match=r"out\.mp4: another run is writing it"):
        Claims([Path("log"), Path("out.mp4")])
    Claims([Path("log")]).release()  # the one that was refused let go of it
    first.release()
    Claims([Path("out.mp4")]).release()
    assert list(current_folder.iterdir()) == []


def test_what_is_finished_is_known_by_its_provenance():
    finish(Path("out.mp4"))
    assert is_finished(Path("out.mp4"), OURS)
    assert not is_finished(Path("out.mp4"), {**OURS, "settings": {"threshmin": 10.0}})
    assert not is_finished(Path("other.mp4"), OURS)
    Path("out.mp4").unlink()
    assert not is_finished(Path("out.mp4"), OURS)


def test_a_run_that_is_refused_by_an_output_leaves_it_finished():
    finish(Path("out.mp4"))
    Claims([Path("out.mp4")]).release()
    assert is_finished(Path("out.mp4"), OURS)


def test_what_is_begun_again_is_finished_no_more():
    finish(Path("out.mp4"))
    claims = Claims([Path("out.mp4")])
    claims.begin()
    assert not is_finished(Path("out.mp4"), OURS)
    claims.release()
    assert not is_finished(Path("out.mp4"), OURS)


def test_a_run_may_have_nothing_to_write_but_not_nowhere():
    both = Claims([Path("out.mp4"), Path("poses.txt")])
    both.begin()
    Path("out.mp4").write_text("content")
    both.finish(OURS)
    both.release()
    assert is_finished(Path("poses.txt"), OURS)
    assert not is_finished(Path("poses.txt"), {})
    neither = Claims([Path("other.mp4")])
    neither.finish(OURS)
    neither.release()
    assert not is_finished(Path("other.mp4"), OURS)


@pytest.mark.parametrize("name", [".", "..", "deep/.."])
def test_a_folder_that_is_named_by_where_it_is(name, current_folder):
    Path("deep").mkdir()
    first = Claims([Path(name)])
    with pytest.raises(SinkError, match="another run"):
        Claims([Path(os.path.realpath(name))])
    first.release()


def test_folders_that_were_made_for_nothing_are_removed(current_folder):
    Claims([Path("deep/down/out.mp4")]).release()
    assert list(current_folder.iterdir()) == []
    finish(Path("deep/down/out.mp4"))
    assert is_finished(Path("deep/down/out.mp4"), OURS)


def test_a_lock_ends_with_its_process():
    code = """
import sys, time
from pathlib import Path
from streamflow.cli.claims import Claims
claims = Claims([Path("out.mp4")])
claims.begin()
print("taken", flush=True)
time.sleep(600)
"""
    environment = {"PYTHONPATH": str(ROOT)}
    other = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment)
    assert other.stdout.readline() == b"taken\n"
    with pytest.raises(SinkError, match="another run"):
        Claims([Path("out.mp4")], patience=0.3)
    other.send_signal(signal.SIGKILL)
    Claims([Path("out.mp4")], patience=60).release()
    other.communicate()
