"""What the terminal says, of the program as a user calls it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import shlex
import signal
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from streamflow.cli.resume import continuing
from tests.support.clips import write_clip

ROOT = Path(__file__).parents[2]
STREAM = [sys.executable, str(ROOT / "stream.py")]


def said(folder: Path, *words: str, program: list[str] = STREAM, code: int = 0) -> str:
    """What it says on stderr, and on stdout."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [*program, *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=280
    )
    assert done.returncode == code, done.stderr
    return done.stderr + done.stdout


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["demo:rotation"], "depth in 0 of 4 pairs: the camera only turned; depth needs it to travel"),
        (["demo:rotation", "--epipole"], "heading in 0 of 4 pairs: the camera only turned"),
        (["demo:forward", "--plot_flow", "--threshmin", "9999"],
         "arrows in 0 of 4 pairs: smin is below --threshmin 9999 nearly everywhere"),
        (["demo:forward", "--moving"], "something that moves by itself in 0 of 4 pairs"),
    ],
)  # fmt: skip
def test_a_run_that_found_nothing_says_so_and_why(words: list[str], line: str, tmp_path: Path) -> None:
    scene, *switches = words
    assert line in said(tmp_path, f"{scene},size=167x101,frames=5", *switches, "-o", "jsonl:log")


@pytest.mark.parametrize(("switches", "hint"), [([], True), (["--depth", "--plot_flow"], False)])
def test_a_camera_that_stood_still_is_told_what_to_do(
    switches: list[str], hint: bool, tmp_path: Path
) -> None:
    """Of what was not asked for yet."""
    text = said(tmp_path, "demo:still,size=233x141,frames=5", *switches, "-o", "jsonl:log")
    assert "depth in 0 of 1 pairs: the camera stood still" in text
    assert ("; --plot_flow shows what moves" in text) == hint


def test_a_run_that_found_what_it_was_to_find_says_nothing_more(tmp_path: Path) -> None:
    text = said(
        tmp_path, "demo:forward,size=167x101,frames=5", "--epipole", "--depth", "-o", "jsonl:log", "-q"
    )
    before, _, _ = text.partition("errors against")
    assert before.splitlines() == ["wrote jsonl:log (4 pairs)"]


def terminal_of(command: list[str], folder: Path, columns: int = 80) -> list[str]:
    """Every line that a terminal shows, one after the other, without colours."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    process = subprocess.Popen(
        command, cwd=folder, stderr=theirs, stdout=subprocess.DEVNULL, env={**environment, "TERM": "xterm"}
    )
    os.close(theirs)
    text = b""
    while part := read(ours):
        text += part
    os.close(ours)
    assert process.wait() == 0, text
    return re.split(r"[\r\n]+", re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text.decode()))


def read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # how Linux says that nobody has the other end any more
        return b""


def test_progress_is_one_line_of_80_columns_with_the_name_and_a_labelled_time(tmp_path: Path) -> None:
    folder = tmp_path / "a long name of a folder" / "another long name of a folder that is in it"
    folder.mkdir(parents=True)
    clip = write_clip(folder / "GX010042 the long way home.mp4", count=600)
    lines = terminal_of([*STREAM, str(clip), "--plot_flow", "-o", "jsonl:log"], tmp_path)
    shown = [line for line in lines if "pairs, " in line]
    assert max(map(len, shown)) <= 80
    assert all(line.startswith("GX010042 the long way") for line in shown)
    assert "folder" not in "".join(shown)
    assert any(re.search(r"\d+/599 pairs, \d+\.\d/s, \d:\d\d left", line) for line in shown)
    assert re.search(r"599/599 pairs, \d+\.\d/s, \d:\d\d gone", shown[-1])


@pytest.mark.parametrize(
    ("program", "name"), [(STREAM, "stream.py"), ([sys.executable, "-m", "streamflow"], "streamflow")]
)
def test_help_and_errors_speak_of_the_command_that_was_typed(
    program: list[str], name: str, tmp_path: Path
) -> None:
    typed = " ".join(program)
    assert said(tmp_path, "--help", program=program).startswith(f"usage: {typed} SOURCE...")
    assert f"\n  {typed} drive.mp4  " in said(tmp_path, "--help", program=program)
    evaluate = said(tmp_path, "evaluate", "--help", program=program)
    assert " ".join(evaluate.split()).startswith(f"usage: {typed} evaluate [-h]")
    line = said(tmp_path, "evaluate", "--jsn", "folder", program=program, code=2)
    assert line == (
        f"{name}: unrecognized arguments: --jsn; did you mean --json? see {typed} evaluate --help\n"
    )


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ("a.mp4 -o out.mp4 -y", "a.mp4 -o out.mp4"),
        ("a.mp4 -yq -o 'my clip.mp4' --resume", "a.mp4 -q -o 'my clip.mp4'"),
        ("a.mp4 -qyoout.mp4 --over", "a.mp4 -qoout.mp4"),
    ],
)
def test_a_run_is_continued_without_what_replaces_outputs(
    words: str, kept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["stream.py", "a"])
    monkeypatch.setattr(sys, "orig_argv", [".venv/bin/python", "stream.py", "a"])
    assert continuing(shlex.split(words)) == f".venv/bin/python stream.py --resume {kept}"


def test_ctrl_c_does_not_wait_for_the_compiler(tmp_path: Path) -> None:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")}  # where there is nothing yet
    process = subprocess.Popen(
        [*STREAM, "demo:still,size=64x48", "-o", "jsonl:log"],
        cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr.readline().startswith("compiling for this machine")
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in errors
