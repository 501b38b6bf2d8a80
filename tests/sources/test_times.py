"""A time of its own for every frame, whatever the stream's timestamps are."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from sources.reading.spread import HELD, NOTE, spread
from streamflow.values import Frame, Health
from tests.support.clips import numbers, picture, read, times

IMAGE = np.zeros((2, 2, 3), np.uint8)


def spread_out(*stamps: float | None, gaps: tuple[int, ...] = ()) -> tuple[list[float], Health]:
    """Times at a nominal 10 frames a second."""
    health = Health()
    frames = (
        Frame(i, IMAGE, None if stamp is None else Fraction(stamp), "a gap" if i in gaps else None)
        for i, stamp in enumerate(stamps)
    )
    return [float(frame.time) for frame in spread(frames, Fraction(10), health)], health


@pytest.mark.parametrize(
    ("stamps", "expected"),
    [
        ((0, 1, 2, 5, 7), [0, 1, 2, 5, 7]),
        ((0, 0, 2, 2, 4), [0, 1, 2, 3, 4]),
        ((0, 0, 0, 3, 4), [0, 1, 2, 3, 4]),
        ((0, None, None, 3, 4), [0, 1, 2, 3, 4]),
        ((0, 1, 0.5, 2), [0, 1, 1.5, 2]),
        ((0, 1, 1), [0, 1, 1.1]),
        ((None, None, None), [0, 0.1, 0.2]),
        ((None, 3, 4), [0, 3, 4]),
        ((), []),
    ],
)
def test_frames_share_the_time_to_the_next_later_one(stamps, expected):
    found, health = spread_out(*stamps)
    assert found == pytest.approx(expected)
    assert health.notes == ([] if list(stamps) == expected else [NOTE])


def test_a_gap_is_not_filled():
    found, health = spread_out(0, 1, 100, 101, gaps=(2,))
    assert found == [0, 1, 100, 101]
    assert not health.notes


def test_no_more_frames_wait_than_memory_allows():
    found, _ = spread_out(*[5] * (3 * HELD), 5.5, 99)
    assert all(a < b for a, b in pairwise(found))
    assert found[-1] == 99


def stamped(path: Path, ticks: list[int], second: int = 1000, codec: str = "mjpeg") -> Path:
    """Pictures whose packets have the given times, as the muxer takes them without complaint."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuvj420p"
        for i, tick in enumerate(ticks):
            frame = av.VideoFrame.from_ndarray(picture(i), "bgr24").reformat(format="yuvj420p")
            for packet in stream.encode(frame):
                packet.pts = packet.dts = tick
                packet.time_base = Fraction(1, second)
                container.mux(packet)
        container.mux(stream.encode(None))
    return path


def test_two_frames_to_each_timestamp(tmp_path):
    frames, health = read(stamped(tmp_path / "webcam.mkv", [80 * (i // 2) for i in range(20)]))
    assert numbers(frames) == list(range(20))
    assert [time - times(frames)[0] for time in times(frames)] == [Fraction(i, 25) for i in range(20)]
    assert health.notes == [NOTE]
    assert health.whole


@pytest.mark.parametrize("rate", [240, 960, 2000])
def test_more_frames_a_second_than_the_container_can_tell_apart(tmp_path, rate):
    """Matroska rounds to milliseconds; the nominal rate tells where the frames lie."""
    with av.open(str(tmp_path / "fast.mkv"), "w") as container:
        stream = container.add_stream("mjpeg", rate=rate)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuvj420p"
        for i in range(60):
            frame = av.VideoFrame.from_ndarray(picture(i), "bgr24").reformat(format="yuvj420p")
            frame.pts, frame.time_base = i, Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    frames, health = read(tmp_path / "fast.mkv")
    assert numbers(frames) == list(range(60))
    intervals = [float(b - a) * rate for a, b in pairwise(times(frames))]
    assert intervals == pytest.approx([1] * 59, abs=0.05)
    assert health == Health(decoded=60)


def test_a_webcam_in_dim_light_keeps_its_real_times(tmp_path):
    """Thirty frames a second, then fifteen."""
    ticks = [33 * i for i in range(10)] + [330 + 67 * i for i in range(10)]
    frames, health = read(stamped(tmp_path / "webcam.mkv", ticks))
    assert [1000 * (time - times(frames)[0]) for time in times(frames)] == ticks
    assert not any(frame.gap for frame in frames)
    assert health == Health(decoded=20)
