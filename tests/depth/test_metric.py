"""Metres from what the user knows, on scenes whose world unit is called a metre."""

from fractions import Fraction

import numpy as np
import pytest

from sources import open_source
from streamflow.depth.metric import MetricScale
from streamflow.errors import UsageError
from streamflow.options import Options
from streamflow.pipeline import results
from streamflow.stages import Stage
from streamflow.values import Depth, Frame, FramePair, Result

STAGES = frozenset({Stage.FLOW, Stage.MOTION, Stage.DEPTH})
CAMERA_HEIGHT = 1.5  # of the rendered street
K = np.array([[300.0, 0, 158], [0, 300, 105], [0, 0, 1]])


def last(options: Options, scene: str = "forward", frames: int = 8):
    *_, result = results(open_source(f"demo:{scene},size=317x211,frames={frames}"), STAGES, options)
    return result


def scale_of(result) -> float:
    return float(np.nanmedian(result.depth.z / result.pair.reference.truth.depth))


@pytest.mark.parametrize("scene", ["forward", "turning"])
def test_the_camera_s_height_gives_metres(scene):
    result = last(Options(camera_height=CAMERA_HEIGHT), scene, frames=16)
    assert result.depth.unit == "m"
    assert scale_of(result) == pytest.approx(1, abs=0.03)
    assert abs(scale_of(result) - 1) < 2 * result.depth.unit_sigma < 0.1


def test_double_the_height_is_double_the_depth():
    once, twice = (last(Options(camera_height=h)).depth.z for h in (1.0, 2.0))
    np.testing.assert_allclose(twice, 2 * once, rtol=1e-5)


def test_one_known_distance_gives_metres_that_stay():
    first = next(iter(results(open_source("demo:oblique,size=317x211,frames=2"), STAGES)))
    x, y = 90, 150
    ray = np.linalg.solve(first.camera_matrix, [x, y, 1])
    metres = float(first.pair.reference.truth.depth[y, x] * np.linalg.norm(ray))
    result = last(Options(known=(x, y, metres)), "oblique")
    assert result.depth.unit == "m"
    assert abs(scale_of(result) - 1) < 2 * result.depth.unit_sigma
    assert scale_of(result) == pytest.approx(1, abs=0.05)


def test_the_way_in_metres_is_the_camera_s():
    result = last(Options(speed=0.12 * 30))
    assert result.depth.step == pytest.approx(0.12, rel=0.02)
    assert result.pose[2, 3] == pytest.approx(7 * 0.12, rel=0.02)


def test_speed_without_a_clock_and_a_point_outside_are_the_user_s_mistakes():
    frames = [Frame(index, np.zeros((8, 8, 3), np.uint8)) for index in (0, 1)]
    depth = Depth(np.ones((8, 8), np.float32), np.ones((8, 8), np.float32), np.zeros((8, 8), np.uint8))
    with pytest.raises(UsageError, match="`speed` needs a clock"):
        MetricScale(Options(speed=1.0))(Result(FramePair(frames[1], frames[0]), K, False, depth=depth))
    with pytest.raises(UsageError, match="`known` 9,1,2 lies outside the 8x8 image"):
        MetricScale(Options(known=(9, 1, 2.0)))(
            Result(FramePair(frames[1], frames[0]), K, False, depth=depth)
        )


def test_a_step_far_off_does_not_move_the_metre_unless_it_stays_there():
    scale = MetricScale(Options(baseline=1.0))
    frames = [Frame(index, np.zeros((8, 8, 3), np.uint8), Fraction(index)) for index in (0, 1)]
    pair, nothing = FramePair(frames[1], frames[0]), np.full((8, 8), np.nan, np.float32)

    def after(step: float) -> float:
        depth = Depth(nothing, nothing, np.zeros((8, 8), np.uint8), step=step)
        return scale(Result(pair, K, False, depth=depth)).depth.step / step

    for _ in range(5):
        assert after(0.5) == pytest.approx(2.0)
    assert after(5.0) == pytest.approx(2.0)
    for _ in range(15):
        after(5.0)
    assert after(5.0) == pytest.approx(0.2)
