"""Video that is piped into the program."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any

import pytest

from tests.support.clips import write_clip
from tests.support.waiting import until

ROOT = Path(__file__).parents[2]

READ = """
import json, sys
from sources import open_source
from streamflow.errors import StreamflowError
from tests.support.clips import number
try:
    source = open_source("-")
    for frame in source:
        print(json.dumps([frame.index, str(frame.time), number(frame.image)]), flush=True)
    print(json.dumps(source.health.whole))
except StreamflowError as error:
    print(json.dumps(str(error)))
except KeyboardInterrupt:
    print(json.dumps("interrupted"))
"""


def start(stdin: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", READ], cwd=ROOT, stdin=stdin, stdout=subprocess.PIPE)


def said(data: bytes) -> list[Any]:
    """What the reader says of `data` on its standard input."""
    process = start(subprocess.PIPE)
    out, _ = process.communicate(data, timeout=100)
    return [json.loads(line) for line in out.splitlines()]


@pytest.mark.parametrize("name", ["a.mkv", "a.ts", "a.webm"])
def test_every_frame_of_a_piped_stream(tmp_path, name):
    codec = "libvpx" if name.endswith("webm") else "libx264"
    *frames, whole = said(write_clip(tmp_path / name, codec).read_bytes())
    assert [(index, number) for index, _, number in frames] == [(i, i) for i in range(30)]
    assert whole is True


def test_an_mp4_with_its_index_at_the_end_is_one_line(tmp_path):
    (line,) = said(write_clip(tmp_path / "a.mp4", count=90).read_bytes())
    assert "index at the end" in line
    assert "\n" not in line


@pytest.mark.parametrize("data", [b"", b"no video at all\n" * 99])
def test_what_is_no_video_is_one_line(data):
    (line,) = said(data)
    assert line.startswith("-: ")


def waiting_in(pipe: int) -> int:
    """Bytes that nobody has read yet."""
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)


def test_the_first_interrupt_while_a_pipe_has_said_nothing_yet_ends_the_program(tmp_path):
    reading, writing = os.pipe()
    for number in (signal.SIGINT, signal.SIGTERM):
        command = [sys.executable, ROOT / "stream.py", "-", "-o", "jsonl:-"]
        with subprocess.Popen(command, cwd=tmp_path, stdin=reading, stderr=subprocess.PIPE) as process:
            os.write(writing, b"a few bytes")
            until(lambda: not waiting_in(reading))  # they have been read, and more is waited for
            process.send_signal(number)
            assert process.wait(20) == 128 + number
            assert process.stderr.read() == b""
    os.close(writing)
    os.close(reading)


def test_an_interrupt_while_the_pipe_is_silent(tmp_path):
    data = write_clip(tmp_path / "a.ts", count=60).read_bytes()
    reading, writing = os.pipe()
    with start(reading) as process:
        os.write(writing, data[: len(data) * 3 // 4])
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())[0] == 0
        process.send_signal(signal.SIGINT)
        until(lambda: process.poll() is not None)
        assert process.stdout.read().splitlines()[-1] == b'"interrupted"'
        assert process.returncode == 0
    os.close(writing)
    os.close(reading)
