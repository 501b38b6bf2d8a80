"""Pictures: what is known is coloured, what is unknown is not, and nothing flickers."""

from dataclasses import replace

import numpy as np
import pytest

from streamflow.draw.colours import colour_map
from streamflow.draw.painter import Painter
from streamflow.draw.panel import Style
from streamflow.draw.ranges import AdaptiveRange
from streamflow.draw.views import VIEWS
from streamflow.options import Knobs
from streamflow.values import Motion, Status
from tests.support.made_results import make_results


def is_grey(picture: np.ndarray) -> np.ndarray:
    return (picture.max(axis=-1) == picture.min(axis=-1)).all()


def test_unknown_pixels_show_the_dim_photograph_and_known_ones_a_colour() -> None:
    values = np.linspace(0, 1, 47 * 61, dtype=np.float32).reshape(47, 61)
    values[10:20, 10:20] = np.nan
    background = np.full((47, 61), 200, np.uint8)
    picture = colour_map(values, 0, 1, background)
    assert is_grey(picture[10:20, 10:20])
    assert (picture[10:20, 10:20] == 90).all()
    known = ~np.isnan(values)
    assert (np.ptp(picture[known].astype(int), axis=-1) > 20).all()


def test_values_outside_the_range_keep_its_end_colours() -> None:
    values = np.array([[-5, 0, 1, 9]], np.float32)
    picture = colour_map(values, 0, 1, np.zeros((1, 4), np.uint8))
    np.testing.assert_array_equal(picture[0, 0], picture[0, 1])
    np.testing.assert_array_equal(picture[0, 2], picture[0, 3])
    assert picture[0, 3].astype(int).sum() > picture[0, 0].astype(int).sum()  # bright is high


def test_the_range_moves_slowly_and_a_fixed_one_never() -> None:
    rng = np.random.default_rng(0)
    near, far = rng.random((50, 50)), 10 * rng.random((50, 50))
    adaptive, fixed = AdaptiveRange(), AdaptiveRange((0.0, 2.0))
    first = adaptive.update(near)
    second = adaptive.update(far)
    assert first[1] < second[1] < first[1] + 0.1 * 10
    for _ in range(100):
        last = adaptive.update(far)
    assert last[1] == pytest.approx(np.percentile(far, 98), rel=0.01)
    assert fixed.update(far) == (0.0, 2.0)


def test_the_range_of_a_map_without_values_stays() -> None:
    adaptive = AdaptiveRange()
    before = adaptive.update(np.linspace(1, 2, 100).reshape(10, 10))
    assert adaptive.update(np.full((10, 10), np.nan)) == before


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_can_be_drawn(view: str) -> None:
    for result in make_results():
        picture = Painter(Knobs(), view=view).draw(result)
        assert picture.dtype == np.uint8
        height, width = result.pair.reference.image.shape[:2]
        assert picture.shape == (height, 3 * width if view == "derivatives" else width, 3)


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_can_do_without_its_values(view: str) -> None:
    result = next(iter(make_results()))
    static = Motion(Status.STATIC)
    bare = replace(result, flow=None, motion=static, smoothed=static, depth=None, planes=None)
    assert Painter(Knobs(), view=view).draw(bare).shape[0] == result.pair.reference.image.shape[0]


def test_a_result_is_drawn_once_for_all_sinks() -> None:
    result = next(iter(make_results()))
    painter = Painter(Knobs())
    assert painter.draw(result) is painter.draw(result)


def test_another_segment_has_its_own_range_also_for_who_did_not_see_it_begin() -> None:
    first, second = make_results()[:2]
    depth = replace(second.depth, inverse=10 * second.depth.inverse, variance=100 * second.depth.variance)
    nearer = replace(second, depth=depth)
    pictures = []
    for segment in (0, 1):
        painter = Painter(Knobs(), Style(clean=True), "depth")
        painter.draw(first)
        pictures.append(painter.draw(replace(nearer, segment=segment)).astype(int))
    alone = Painter(Knobs(), Style(clean=True), "depth").draw(nearer)
    np.testing.assert_array_equal(pictures[1], alone)
    assert np.abs(pictures[0] - alone).mean() > 20  # in the old range everything is near


def test_the_frame_itself_is_never_drawn_on() -> None:
    result = next(iter(make_results()))
    before = result.pair.reference.image.copy()
    Painter(Knobs(), Style(tuple(VIEWS))).draw(result)
    np.testing.assert_array_equal(result.pair.reference.image, before)


@pytest.mark.parametrize("view", VIEWS)
def test_a_pair_of_a_damaged_frame_says_so_in_red(view: str) -> None:
    result = make_results(size=(320, 240))[0]
    damaged = replace(result, pair=replace(result.pair, target=replace(result.pair.target, damaged=True)))
    reds = []
    for shown in (result, damaged):
        top = Painter(Knobs(), view=view).draw(shown)[:20].astype(int)
        reds.append(np.count_nonzero(top[..., 2] - top[..., 1] > 100))
    assert reds[1] > reds[0] + 50
