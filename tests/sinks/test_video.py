"""The annotated video: exact times, and something to watch whatever happens."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from sinks import Holding, open_sink
from sinks.video import fitted
from sinks.writing.clock import Clock
from streamflow.errors import SinkError
from streamflow.values import FramePair, SourceInfo
from tests.support.made_results import INFO, make_frame, make_results, make_run, write_all
from tests.support.videos import CONTAINERS, pictures_in, times_in, top_level_boxes

VFR = [Fraction(ticks, 15360) for ticks in np.cumsum([0, 517, 512, 3100, 1, 90000, 411, 409]).tolist()]


@pytest.mark.parametrize(
    "times",
    [
        VFR,
        [Fraction(k, 25) for k in range(8)],
        [Fraction(1001 * k, 30000) for k in range(8)],
        [Fraction(1001 * k, 24000) + 3 for k in range(8)],
        [Fraction(k * k, 1000) for k in range(8)],
        [Fraction(33_333 * k + k % 2, 1_000_000) for k in range(1, 9)],
        [Fraction(126_000 + 3003 * k, 90_000) for k in range(8)],
        [Fraction(k * 100, 2997) for k in range(8)],
    ],
    ids=["vfr", "25", "29.97", "23.976 from 3 s", "milliseconds", "microseconds", "mpeg-ts", "2997/100"],
)
def test_an_mp4_keeps_the_times_of_the_stream_exactly(times):
    write_all(open_sink("out.mp4", make_run()), make_results(times))
    assert times_in("out.mp4") == times[1:]


@pytest.mark.parametrize("target", ["out.mkv", "out.webm"])
def test_matroska_keeps_the_times_to_its_millisecond(target):
    write_all(open_sink(target, make_run()), make_results([*VFR[:4], VFR[5]]))
    assert times_in(target) == [Fraction(round(moment * 1000), 1000) for moment in [*VFR[1:4], VFR[5]]]


@pytest.mark.parametrize("target", CONTAINERS)
@pytest.mark.parametrize("rate", [None, Fraction(10)])
def test_a_stream_without_clock_runs_at_its_nominal_rate(target, rate):
    run = make_run(info=replace(INFO, rate=rate))
    write_all(open_sink(target, run), make_results([None] * 5))
    assert times_in(target) == [index / (rate or Fraction(25)) for index in range(1, 5)]


def test_lost_frames_leave_their_gap_when_there_is_no_clock():
    results = make_results([None] * 8)
    write_all(open_sink("out.mp4", make_run()), [results[0], results[5]])
    assert times_in("out.mp4") == [Fraction(1, 25), Fraction(6, 25)]


def test_the_clock_of_a_camera_starts_at_zero():
    run = make_run(info=SourceInfo("0", "camera", live=True))
    times = [Fraction(40_000_000_000 + 33_366_700 * k, 1_000_000_000) for k in range(5)]
    write_all(open_sink("out.mp4", run), make_results(times))
    assert times_in("out.mp4") == pytest.approx([time - times[1] for time in times[1:]], abs=1e-5)


def test_a_clock_that_starts_below_zero_loses_no_frame():
    times = [Fraction(k, 25) for k in range(-4, 4)]
    write_all(open_sink("out.mp4", make_run()), make_results(times))
    assert times_in("out.mp4") == [time - times[1] for time in times[1:]]


def test_ticks_are_fine_enough_and_no_finer():
    pair = FramePair(make_frame(1, Fraction(1, 3)), make_frame(0, Fraction(1, 7)))
    ticks = Clock(INFO).ticks(pair)
    assert ticks % 21 == 0
    assert ticks * 20 < 2**31  # twenty seconds between two frames still fit an mp4


@pytest.mark.parametrize("target", CONTAINERS)
def test_the_pictures_are_the_painter_s(target):
    run, results = make_run(), make_results()
    write_all(open_sink(target, run), results)
    found = pictures_in(target)
    assert len(found) == len(results)
    for picture, result in zip(found, results, strict=True):
        drawn = run.painter.draw(result)
        height, width = drawn.shape[:2]
        assert picture.shape == (height + height % 2, width + width % 2, 3)
        error = picture[:height, :width].astype(float) - drawn
        # Chroma at half the resolution cannot follow letters; BT.601 taken for BT.709 would give 8.
        assert np.median(np.abs(error)) <= 4
        assert np.abs(np.mean(error, axis=(0, 1))).max() < 4


def test_the_colours_are_tagged_as_they_are_stored():
    write_all(open_sink("out.mp4", make_run()), make_results())
    with av.open("out.mp4") as container:
        frame = next(container.decode(video=0))
        tags = frame.colorspace, frame.color_primaries, frame.color_trc, frame.color_range
    assert tags == (1, 1, 1, 1)  # BT.709, limited


def test_a_closed_mp4_is_a_plain_one():
    write_all(open_sink("out.mp4", make_run()), make_results())
    assert top_level_boxes("out.mp4") == [b"ftyp", b"free", b"mdat", b"moov"]
    with av.open("out.mp4") as container:
        assert container.streams.video[0].frames == 5
        assert container.duration == 200_000  # microseconds


@pytest.mark.parametrize("target", CONTAINERS)
@pytest.mark.parametrize("size", [(202, 122), (60, 120)])
def test_a_change_of_size_is_fitted_into_the_first(target, size):
    results = make_results()
    late = make_results([Fraction(i, 25) for i in range(10, 13)], size=size)
    write_all(open_sink(target, make_run()), [*results, *late])
    assert times_in(target) == [result.pair.reference.time for result in [*results, *late]]
    with av.open(target) as container:
        shapes = {(frame.width, frame.height) for frame in container.decode(video=0)}
    assert len(shapes) == 1


def test_a_smaller_picture_is_centred_between_black_bars():
    picture = np.full((10, 20, 3), 200, np.uint8)
    wide, high = fitted(picture, (40, 40)), fitted(np.swapaxes(picture, 0, 1), (40, 40))
    np.testing.assert_array_equal(wide[..., 0], np.repeat([0, 200, 0], [10, 20, 10])[:, None].repeat(40, 1))
    np.testing.assert_array_equal(high[..., 0], wide[..., 0].T)


@pytest.mark.parametrize("name", ["12:30:05.mp4", "50%d [1] ünï.mkv"])
def test_names_with_signs(name):
    write_all(open_sink(name, make_run()), make_results())
    assert times_in(f"file:{name}") == [Fraction(index, 25) for index in range(1, 6)]


def test_frames_closer_than_the_ticks_of_the_container():
    times = [Fraction(i, 3000) for i in range(8)]
    write_all(open_sink("out.mkv", make_run()), make_results(times))
    assert times_in("out.mkv") == sorted(set(times_in("out.mkv")))
    assert len(times_in("out.mkv")) == 7


def test_a_change_of_size_ends_a_video_of_depth_and_what_came_before_stays(current_folder):
    sink = open_sink("depth:out.mkv", make_run())
    for result in make_results():
        sink.write(result)
    part = Path("out.part.mkv")
    said = rf"changes from \d+x\d+ to \d+x\d+ pixels; what came before is in {part}"
    with pytest.raises(SinkError, match=said):
        sink.write(make_results(size=(101, 61))[0])
    sink.close()
    sink.close()
    assert {path.name for path in current_folder.iterdir()} == {part.name, "out.mkv.part.jsonl"}
    assert times_in(part) == [Fraction(index, 25) for index in range(1, 6)]


@pytest.mark.parametrize("target", CONTAINERS)
@pytest.mark.parametrize("time", [Fraction(5, 25), Fraction(1, 25)], ids=["same", "earlier"])
def test_time_that_does_not_advance_is_one_error(target, time):
    results = make_results()
    sink = open_sink(target, make_run())
    for result in results:
        sink.write(result)
    late = replace(results[0], pair=FramePair(make_frame(6, time), make_frame(5, Fraction(5, 25))))
    said = r"frame 6, 0\.\d+ s, does not come after 0\.2 s; what came before is in"
    with pytest.raises(SinkError, match=said):
        sink.write(late)
    sink.close()
    assert len(times_in(Path(target).with_suffix(".part" + Path(target).suffix))) == 5


def test_a_gap_that_mp4_cannot_hold_is_an_error_and_mkv_holds_it():
    times = [Fraction(0), Fraction(1, 25), Fraction(2, 25), Fraction(3000)]
    sink = open_sink("out.mp4", make_run())
    with pytest.raises(SinkError, match=r"farther apart than an mp4 can say; write \.mkv"):
        write_all(sink, make_results(times))
    assert times_in("out.part.mp4") == times[1:3]
    write_all(open_sink("out.mkv", make_run()), make_results(times))
    assert times_in("out.mkv") == times[1:]


def test_a_repeated_frame_holds_the_last_picture() -> None:
    first, second = make_results()[:2]
    later = replace(second.pair.reference, index=3, time=Fraction(3, 25))
    sink = open_sink("out.mkv", make_run())
    assert isinstance(sink, Holding)
    for result in (first, second):
        sink.write(result)
    sink.hold(later)
    sink.close()
    assert [round(time * 25) for time in times_in("out.mkv")] == [1, 2, 3]
    _, shown, held = pictures_in("out.mkv")
    assert abs(shown.astype(int) - held).mean() < 1  # grey levels, of a codec
