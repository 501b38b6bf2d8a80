from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from fractions import Fraction

import pytest

from sources.camera import CameraSource
from sources.reading.live import BACKOFF, ArrivalClock, Capture, Disconnected, LiveReader
from streamflow.errors import SourceError
from streamflow.values import Health
from tests.support.clips import number, numbers, picture, times, write_clip
from tests.support.waiting import until


@pytest.mark.parametrize("spec", ["97", "/dev/video97"])
def test_missing_camera_is_one_line_and_silent(spec, capfd):
    with pytest.raises(SourceError, match=f"camera {spec}: cannot be opened") as caught:
        CameraSource(spec)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_camera_that_ends_is_opened_again(tmp_path):
    """OpenCV reads a file as it reads a device; its end is a webcam pulled out and put back."""
    path = write_clip(tmp_path / "webcam.avi", "mjpeg", pix_fmt="yuvj420p", count=10)
    source = CameraSource(str(path), every_frame=True)
    frames = list(itertools.islice(source, 25))
    source.close()
    assert numbers(frames) == [*range(10), *range(10), *range(5)]
    assert [frame.index for frame in frames] == list(range(25))
    assert [frame.index for frame in frames if frame.gap] == [10, 20]
    assert times(frames) == sorted(times(frames))
    assert source.info.live
    assert source.info.rate == 25


class Scripted:
    """A connection that plays a list: numbers are pictures, exceptions are raised."""

    live = True
    rate: Fraction | None = None

    def __init__(self, script: list[int | BaseException]) -> None:
        self._script = script

    def __iter__(self) -> Iterator[Capture]:
        for step in self._script:
            if isinstance(step, BaseException):
                raise step
            yield Capture(picture(step))

    def close(self) -> None:
        pass


def test_unexpected_error_of_the_thread_is_raised_in_the_consumer_with_its_cause():
    reader = LiveReader(
        "cam", lambda: Scripted([1, 2, ZeroDivisionError("a bug")]), Health(), every_frame=True
    )
    assert [number(reader.take().image), number(reader.take().image)] == [1, 2]
    with pytest.raises(SourceError, match="a bug") as caught:
        reader.take()
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    reader.close()


def test_hung_driver_does_not_hang_the_consumer():
    """A read that never returns cannot be stopped, but must not stop anybody else."""
    release = threading.Event()

    class Hung(Scripted):
        def __iter__(self) -> Iterator[Capture]:
            yield Capture(picture(1))
            release.wait()

    reader = LiveReader("cam", lambda: Hung([]), Health(), give_up=2, join=0.3)
    reader.take()
    with pytest.raises(SourceError, match=r"no frame for 2 s \(no answer\)"):
        reader.take()
    reader.close()  # returns, although the thread cannot
    assert "reader of cam" in running()
    release.set()
    until(lambda: "reader of cam" not in running())


def test_health_tells_whether_the_next_frame_has_to_be_waited_for():
    gate = threading.Event()

    class Gated(Scripted):
        def __iter__(self) -> Iterator[Capture]:
            yield Capture(picture(1))
            gate.wait()
            yield Capture(picture(2))

    health = Health()
    reader = LiveReader("cam", lambda: Gated([]), health)
    reader.take()
    assert health.next_is_late
    gate.set()
    until(lambda: not health.next_is_late)
    reader.take()
    reader.close()


def running() -> set[str]:
    return {thread.name for thread in threading.enumerate()}


def test_stream_with_an_end_is_not_begun_again():
    class File(Scripted):
        live = False

    reader = LiveReader("web", lambda: File([1, 2, Disconnected("hung up")]), Health())
    assert [number(reader.take().image), number(reader.take().image)] == [1, 2]
    with pytest.raises(SourceError, match="web: hung up"):
        reader.take()
    reader.close()


def test_attempts_are_spaced_by_the_back_off():
    attempts = []

    def connect():
        attempts.append(time.monotonic())
        if 1 < len(attempts) < 5:
            raise Disconnected("gone")
        return Scripted([len(attempts)])

    reader = LiveReader("cam", connect, Health())
    assert [number(reader.take().image), number(reader.take().image)] == [1, 5]
    reader.close()
    waits = [b - a for a, b in itertools.pairwise(attempts)]
    assert all(wait > least - 0.01 for wait, least in zip(waits, BACKOFF, strict=False))


def test_clock_follows_the_camera_within_a_connection():
    """A camera's stamps are even where arrival is not."""
    clock = ArrivalClock()
    stamps = [clock.time(Fraction(1000 + i, 25)) for i in range(5)]
    assert [b - a for a, b in itertools.pairwise(stamps)] == [Fraction(1, 25)] * 4
    clock.restart()
    assert clock.time(Fraction(3)) > stamps[-1]


def test_frames_stamped_alike_and_a_clock_that_goes_back_still_rise():
    clock = ArrivalClock()
    clock.restart(Fraction(25))
    stamps = [clock.time(Fraction(taken)) for taken in (5, 5, 5.1, 5.1, 5.05, 5.2, 1, 1.04, 1.08)]
    assert stamps == sorted(set(stamps))
    assert stamps[1] - stamps[0] == Fraction(1, 50)
    assert stamps[-1] - stamps[-2] == pytest.approx(0.04)
