"""What goes wrong while a video is written: one error, and what came before plays."""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from sinks import open_sink
from sinks.video import ENCODINGS
from sinks.writing.video_file import VideoFile
from streamflow.errors import SinkError
from tests.support.full_disk import limited_file_size
from tests.support.made_results import make_results, make_run, write_all
from tests.support.videos import CONTAINERS, times_in


class Shown:
    """A painter that shows the frame as it is."""

    def draw(self, result):
        return result.pair.reference.image


RECORDER = """
import sys
from fractions import Fraction
sys.path.insert(0, {root!r})
from sinks import open_sink
from tests.support.made_results import make_results, make_run
results = make_results([Fraction(k, 30) for k in range(400)], size=(160, 120))
sink = open_sink({target!r}, make_run())
for count, result in enumerate(results, 1):
    sink.write(result)
    if count == 90:
        print("three seconds", flush=True)
        sys.stdin.read()
"""


@pytest.mark.parametrize("target", CONTAINERS)
def test_a_full_disk_is_one_error_and_what_came_before_stays(target, current_folder):
    noise = np.random.default_rng(7)
    results = make_results([Fraction(k, 25) for k in range(60)], size=(160, 120))
    for result in results:  # pictures that need room
        result.pair.reference.image[:] = noise.integers(0, 255, result.pair.reference.image.shape)
    sink = open_sink(target, replace(make_run(), painter=Shown()))
    said = r"cannot be written: File too large; .*what came before is in out\.part"
    with limited_file_size(300_000), pytest.raises(SinkError, match=said):
        write_all(sink, results)
    sink.close()
    assert [path.name for path in current_folder.iterdir()] == [f"out.part{Path(target).suffix}"]
    assert len(times_in(f"out.part{Path(target).suffix}")) >= 3


def test_a_full_disk_found_out_at_the_end_is_an_error_too():
    sink = open_sink("out.mp4", make_run())
    for result in make_results():
        sink.write(result)
    said = r"out\.mp4: cannot be written: File too large"
    with limited_file_size(200), pytest.raises(SinkError, match=said):
        sink.close()
    sink.close()
    assert not Path("out.mp4").exists()


def test_an_encoder_that_is_missing_is_an_error_and_leaves_nothing(current_folder):
    video = VideoFile("out.mp4", make_run(), replace(ENCODINGS[".mp4"], codec="libnothing"))
    result = make_results()[0]
    with pytest.raises(
        SinkError, match=r"out\.mp4: this build of PyAV cannot encode libnothing; try another ending"
    ):
        video.add(result.pair.reference.image[:44, :66].copy(), "bgr24", result.pair)
    video.close()
    assert list(current_folder.iterdir()) == []


@pytest.mark.parametrize("target", CONTAINERS)
def test_a_disk_that_is_full_from_the_start_leaves_nothing(target, current_folder):
    sink = open_sink(target, make_run())
    with limited_file_size(0), pytest.raises(SinkError, match=r"cannot be written: File too large"):
        write_all(sink, make_results())
    sink.close()
    assert list(current_folder.iterdir()) == []


@pytest.mark.parametrize("target", CONTAINERS)
@pytest.mark.parametrize("size", [1, 40, 100, 500, 1000, 3000])
def test_a_disk_that_is_full_at_any_point_is_one_error(target, size):
    sink = open_sink(target, make_run())
    with limited_file_size(size), pytest.raises(SinkError, match=r"cannot be written: File too large"):
        write_all(sink, make_results([Fraction(k, 25) for k in range(30)]))
    sink.close()
    assert not Path(target).exists()


@pytest.mark.parametrize("target", [*CONTAINERS, "depth:out.mkv"])
def test_kill_9_leaves_a_video_that_plays_up_to_the_last_pictures(target, current_folder):
    root = str(Path(__file__).parents[2])
    process = subprocess.Popen(
        [sys.executable, "-c", RECORDER.format(root=root, target=target)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with process:
        assert process.stdout.readline() == b"three seconds\n"
        process.send_signal(signal.SIGKILL)
    part = "out.part" + Path(target).suffix
    assert not (current_folder / f"out{Path(target).suffix}").exists()
    times = times_in(part)
    assert times == pytest.approx([index / 30 for index in range(1, len(times) + 1)], abs=6e-4)
    assert len(times) >= 88  # of 90


def test_what_an_interrupted_run_left_is_not_thrown_away(current_folder):
    (current_folder / "out.part.mp4").write_bytes(b"half an hour of work")
    said = r"out\.part\.mp4: is left of an interrupted run; --resume continues it, -y replaces it"
    with pytest.raises(SinkError, match=said):
        open_sink("out.mp4", make_run())
    assert (current_folder / "out.part.mp4").read_bytes() == b"half an hour of work"
    write_all(open_sink("out.mp4", make_run(overwrite=True)), make_results())
    assert [path.name for path in current_folder.iterdir()] == ["out.mp4"]
