"""A run that is looked at over a network: it says where, it ends when it should, and says that it did."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sources import open_source
from streamflow.cli import arguments as command_line
from streamflow.cli.outputs import Outputs
from streamflow.cli.write_behind import DEPTH
from streamflow.errors import SourceError
from streamflow.options import Knobs
from tests.support.made_results import make_results
from tests.support.page import Page
from tests.support.waiting import until

ROOT = Path(__file__).parents[2]


@contextmanager
def running(folder: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], Page]]:
    """The program, and the page whose address it printed first of all."""
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "stream.py"), *arguments], cwd=folder, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process, Page(process.stderr.readline())
    finally:
        process.kill()
        process.communicate()


def test_a_run_ends_with_its_source_while_somebody_looks(tmp_path: Path) -> None:
    with running(tmp_path, "demo:wall,size=97x61,frames=4", "--plot_flow", "-o", "web:0") as (process, page):
        pictures = list(page.pictures())  # ends with the run
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 0
    assert errors.splitlines()[-1] == "showed web:0 (3 pairs)"
    assert pictures
    assert not list(tmp_path.iterdir())


def test_ctrl_c_ends_a_run_that_a_viewer_has_paused(tmp_path: Path) -> None:
    words = ("demo:wall,size=97x61,frames=100000", "--plot_flow", "-o", "web:0", "-o", "jsonl:log")
    with running(tmp_path, *words) as (process, page):
        page.post("pause")
        pictures = page.pictures()
        next(pictures)
        until(lambda: page.state()["pairs"] > 0)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert (tmp_path / "log").is_file()


def test_a_source_that_fails_ends_a_paused_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = command_line.parse(["demo:still,size=67x45", "-o", "web:0", "-o", "jsonl:log"])
    source = open_source("demo:still,size=67x45")

    def fail_while_paused() -> None:
        with Outputs(source, arguments, Knobs()) as outputs:
            page = Page(*outputs.announcements)
            page.post("pause")
            for result in make_results()[: 1 + DEPTH]:  # one that is held, and those that wait behind it
                outputs.write(result)
            until(lambda: page.state()["pairs"] == 1)
            raise SourceError("the camera is gone")

    with pytest.raises(SourceError, match="gone"):
        fail_while_paused()
    assert len((tmp_path / "log").read_text().splitlines()) == 1 + DEPTH
