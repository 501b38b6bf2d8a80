"""Writing behind: order, the first error, bounded memory, and no thread left."""

from __future__ import annotations

import fcntl
import os
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
import weakref
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import pytest

from sources import open_source
from streamflow.cli import arguments as command_line
from streamflow.cli.outputs import Outputs
from streamflow.cli.write_behind import DEPTH, WriteBehind
from streamflow.errors import SinkError, SourceError
from streamflow.options import Knobs
from streamflow.values import Result
from tests.support.made_results import make_results
from tests.support.waiting import asleep, until, wakings

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    assert "writing behind" not in {thread.name for thread in threading.enumerate()}


@pytest.fixture(autouse=True)
def current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put_all(behind: WriteBehind, items: Iterable) -> None:
    for item in items:
        behind.put(item)


def test_everything_is_written_in_order():
    written: list[int] = []
    behind = WriteBehind(written.append)
    for item in range(100):
        behind.put(item)
    behind.finish()
    assert written == list(range(100))


def test_a_slow_writer_makes_the_others_wait():
    begun: list[int] = []
    waiting: list[int] = []

    def write(item: int) -> None:
        begun.append(item)
        time.sleep(0.01)

    behind = WriteBehind(write)
    for item in range(20):
        behind.put(item)
        waiting.append(item + 1 - len(begun))
    behind.finish()
    assert max(waiting) <= DEPTH + 1
    assert len(begun) == 20


def test_the_first_error_is_raised_as_it_was_and_nothing_is_written_after_it():
    written = []

    def write(item: int) -> None:
        if item >= 3:
            raise SinkError(f"no room for {item}") from OSError(28, "full")
        written.append(item)

    behind = WriteBehind(write)
    with pytest.raises(SinkError, match="no room for 3") as caught:
        put_all(behind, range(100))
    assert isinstance(caught.value.__cause__, OSError)
    behind.finish()
    assert written == [0, 1, 2]


def test_an_error_in_the_last_item_is_raised_at_the_end():
    behind = WriteBehind([].pop)  # of an empty list
    behind.put(0)
    with pytest.raises(IndexError):
        behind.finish()


class Item:
    """Something that can be told when nobody holds it any more."""


def test_what_is_abandoned_is_not_written():
    written: list[Item] = []
    gate = threading.Event()

    def write(item: Item) -> None:
        gate.wait(60)
        written.append(item)

    behind = WriteBehind(write)
    put_all(behind, (Item() for _ in range(DEPTH)))
    last = Item()
    weakref.finalize(last, gate.set)  # the writer goes on when the last of those that wait is let go
    behind.put(last)
    del last
    assert behind.abandon()
    assert len(written) == 1


def write_and_fail(targets: Sequence[str], results: Iterable[Result]) -> None:
    """Write results as the program does, until a stage fails."""
    words = [word for target in targets for word in ("-o", target)]
    arguments = command_line.parse(["demo:still,size=67x45,frames=3", *words])
    with Outputs(open_source(arguments.sources[0]), arguments, Knobs()) as outputs:
        for result in results:
            outputs.write(result)
        raise SourceError("the stage failed")


def test_an_error_in_a_stage_leaves_what_came_before_it():
    with pytest.raises(SourceError, match="the stage"):
        write_and_fail(["png:png", "jsonl:log.jsonl"], make_results()[:3])
    assert len(list(Path("png").glob("*.png"))) == 3
    assert len(Path("log.jsonl").read_text().splitlines()) == 3


LATER = [Fraction(i, 5) for i in range(10, 14)]
CHANGING = [*make_results(), *make_results(LATER, size=(101, 61))]  # which a video of depth cannot hold


def written(targets: Sequence[str]) -> Outputs:
    """Write `CHANGING` as the program does."""
    words = [word for target in targets for word in ("-o", target)]
    arguments = command_line.parse(["demo:still,size=67x45,frames=3", *words])
    with Outputs(open_source(arguments.sources[0]), arguments, Knobs()) as outputs:
        for result in CHANGING:
            outputs.write(result)
    return outputs


def test_an_output_that_cannot_go_on_lets_the_others_go_on():
    outputs = written(["depth:out.mkv", "jsonl:log.jsonl", "out.mp4"])
    assert list(outputs.faults) == ["depth:out.mkv"]
    assert "changes from" in str(outputs.faults["depth:out.mkv"])
    assert len(Path("log.jsonl").read_text().splitlines()) == len(CHANGING)
    assert Path("out.part.mkv").exists()
    assert Path("out.mp4").exists()


def test_the_run_ends_when_no_output_can_go_on():
    with pytest.raises(SinkError, match="changes from"):
        written(["depth:out.mkv"])


def test_an_error_in_a_stage_is_not_hidden_by_one_in_a_sink():
    with pytest.raises(SourceError, match="the stage"):
        write_and_fail(["depth:out.mkv", "jsonl:log.jsonl"], CHANGING)


def bytes_in(pipe: int) -> int:
    return int(struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)))[0])


def test_two_signals_end_at_once_even_when_nobody_reads_the_pipe(tmp_path: Path) -> None:
    os.mkfifo("pipe")
    reader = os.open("pipe", os.O_RDONLY | os.O_NONBLOCK)  # and never reads
    fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, 8192)
    command = [sys.executable, str(ROOT / "stream.py"), "demo:still,size=64x48,frames=100000"]
    process = subprocess.Popen(
        [*command, "--plot_flow", "-o", "jsonl:pipe"], stderr=subprocess.PIPE, text=True
    )
    until(lambda: bytes_in(reader) > 4096, 200)  # it may have to compile
    until(lambda: asleep(process.pid))  # the pipe is full
    before = wakings(process.pid)
    process.send_signal(signal.SIGINT)
    until(lambda: wakings(process.pid) > before and asleep(process.pid))
    assert process.poll() is None  # the first lets it finish, if it can
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    os.close(reader)
    assert process.returncode == 130, said
    assert "Traceback" not in said
