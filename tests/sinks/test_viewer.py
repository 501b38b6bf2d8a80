"""What is offered to whoever looks at a run: words on the picture, and the stream's own time."""

from __future__ import annotations

import time
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from sinks.writing.pace import Pace
from sinks.writing.viewer import Viewer
from tests.support.made_results import make_frame, make_results, make_run


def test_a_word_lies_on_the_picture_for_a_while_and_not_in_the_painter_s() -> None:
    run, (result, *_) = make_run(), make_results(size=(320, 240))
    viewer = Viewer(run)
    plain = viewer.picture(result).copy()
    viewer.tell("saved made_000001_all.png", seconds=0.05)
    assert (viewer.picture(result) != plain).any()
    np.testing.assert_array_equal(run.painter.draw(result), plain)
    time.sleep(0.06)
    assert viewer.notice_is_over
    np.testing.assert_array_equal(viewer.picture(result), plain)
    assert not viewer.notice_is_over


def test_a_step_lets_one_picture_come_and_the_end_of_the_run_waits_for_nobody() -> None:
    viewer = Viewer(run := make_run())
    viewer.step()
    assert not viewer.waits
    viewer.stepping = False  # as a sink does when the picture came
    assert viewer.waits
    run.knobs.stopping = True
    assert not viewer.waits


def test_a_file_is_shown_in_its_own_time_and_a_late_picture_is_not_made_up_for() -> None:
    pace = Pace(replace(make_run(), realtime=True))
    assert pace.seconds_until(make_frame(0, Fraction(0))) == pytest.approx(0, abs=0.01)
    assert pace.seconds_until(make_frame(1, Fraction(10))) == pytest.approx(10, abs=0.5)
    late = Pace(replace(make_run(), realtime=True))
    late.seconds_until(make_frame(0, Fraction(0)))
    time.sleep(0.05)
    assert late.seconds_until(make_frame(1, Fraction(1, 100))) == 0
    assert late.seconds_until(make_frame(2, Fraction(101, 100))) == pytest.approx(1, abs=0.5)


def test_without_realtime_nothing_waits() -> None:
    pace = Pace(make_run())
    assert pace.seconds_until(make_frame(0, Fraction(0))) == 0
    assert pace.seconds_until(make_frame(1, Fraction(1000))) == 0
