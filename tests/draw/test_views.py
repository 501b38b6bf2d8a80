"""What each view shows and says, in numbers."""

from dataclasses import replace
from itertools import combinations

import cv2
import numpy as np
import pytest

from streamflow.draw.annotations import Annotations
from streamflow.draw.colours import ramp
from streamflow.draw.heading import draw_inliers
from streamflow.draw.legend import ColourBar
from streamflow.draw.numbers import readable, reciprocals
from streamflow.draw.painter import draw
from streamflow.draw.panel import Panel, Style
from streamflow.draw.ranges import Ranges
from streamflow.draw.views import COLOURS, VIEWS, available
from streamflow.draw.wheel import wheel_colours
from streamflow.kernels.derivatives import pair_derivatives
from streamflow.values import Motion, Result, Status
from tests.support.made_results import make_results

SIZES = [(320, 240), (960, 540), (240, 320), (3840, 2160)]


def result_of(size: tuple[int, int] = (320, 240), **changes: object) -> Result:
    return replace(make_results(size=size)[0], **changes)


def drawn(view: str, result: Result, style: Style | None = None) -> tuple[np.ndarray, Panel]:
    panel = Panel(result, style or Style(), 10.0, Ranges(), [])
    return VIEWS[view].load()(panel), panel


@pytest.mark.parametrize("size", SIZES)
def test_nothing_that_is_written_lies_on_anything_else(size: tuple[int, int]) -> None:
    text = Annotations()
    for line in ("depth  12.34 s", "moving towards (1923, 1212), 89% inliers", "turning 0.5°/s"):
        text.caption(line)
    text.legend = ColourBar(
        ramp("viridis"), ("10,300", "54.2", "9.87"), ("depth in metres, a long title", "z")
    )
    for _ in range(4):
        text.label("ground 0.23 px", (size[0] // 2, size[1] // 2))
    picture = np.full((size[1], size[0], 3), 128, np.uint8)
    boxes = text.draw(picture)
    assert len(boxes) == 8
    for (ax, ay, aw, ah), (bx, by, bw, bh) in combinations(boxes, 2):
        assert ax + aw <= bx or bx + bw <= ax or ay + ah <= by or by + bh <= ay
    changed = (picture != 128).any(axis=2)
    for x, y, width, height in boxes:
        assert changed[max(y, 0) : y + height, max(x, 0) : x + width].any()
        changed[max(y, 0) : y + height, max(x, 0) : x + width] = False
    assert not changed.any()  # no letter reaches out of its box


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("way", [(0.1, -0.06), (-0.1, 0.0), (0.0, 0.1)], ids=["up", "left", "down"])
def test_no_label_covers_an_arrow(size: tuple[int, int], way: tuple[float, float]) -> None:
    text, (width, height) = Annotations(), size
    start = width // 2, height // 2
    end = round(start[0] + way[0] * width), round(start[1] + way[1] * width)
    text.keep_free(start, end)
    for _ in range(2):
        text.label("ground 0.23 px", start)
    boxes = text.draw(np.zeros((height, width, 3), np.uint8))
    assert len(boxes) == 2
    for x, y, box_width, box_height in boxes:
        assert not (
            x < max(start[0], end[0])
            and min(start[0], end[0]) < x + box_width
            and y < max(start[1], end[1])
            and min(start[1], end[1]) < y + box_height
        )


@pytest.mark.parametrize("size", SIZES)
def test_letters_grow_with_the_picture_and_are_never_small(size: tuple[int, int]) -> None:
    text = Annotations()
    text.caption("H")
    picture = np.full((size[1], size[0], 3), 100, np.uint8)
    text.draw(picture)
    rows = np.flatnonzero((picture > 150).any(axis=(1, 2)))
    assert np.ptp(rows) + 1 >= max(8, 0.02 * min(size[1], 0.75 * size[0]))


@pytest.mark.parametrize(
    ("value", "words"), [(10300.4, "10,300"), (101.6, "102"), (54.24, "54.2"), (0.456, "0.46"), (2e6, "∞")]
)
def test_numbers_have_no_exponent(value: float, words: str) -> None:
    assert readable(value) == words


def test_the_middle_of_a_legend_is_the_value_of_the_middle_colour() -> None:
    assert reciprocals(0.1, 0.5) == ("10.0", "3.33", "2.00")
    assert reciprocals(0.0, 0.5) == ("∞", "4.00", "2.00")


def test_the_fastest_arrow_s_number_is_the_fastest_arrow_s() -> None:
    result = result_of()
    _, panel = drawn("flow", result)
    vectors = result.flow.vectors[4::8, 4::8]  # the arrows' places
    fastest = np.hypot(vectors[..., 0], vectors[..., 1]).max()
    assert panel.text.captions[0][0].startswith(f"fastest arrow {fastest:.1f} px/frame")


@pytest.mark.parametrize(
    ("view", "changes", "said"),
    [
        ("depth", {"motion": Motion(Status.STATIC)}, "no depth: the camera stands still"),
        ("depth", {"motion": Motion(Status.ROTATION)}, "no depth: the camera only turns"),
        ("ttc", {"motion": Motion(Status.PLANAR)}, "no time to contact: one plane"),
        ("planes", {"planes": ()}, "no plane found"),
    ],
)
def test_an_empty_panel_says_why(view: str, changes: dict, said: str) -> None:
    result = result_of()
    unknown = np.full_like(result.depth.inverse, np.nan)
    depth = replace(result.depth, inverse=unknown, variance=unknown)
    _, panel = drawn(view, replace(result, **{"depth": depth, **changes}))
    assert panel.text.captions[0][0].startswith(said)


def test_a_camera_that_moves_away_has_no_time_to_contact() -> None:
    result = result_of()
    _, panel = drawn("ttc", replace(result, depth=replace(result.depth, approach=-25.0)))
    assert panel.text.captions[0][0] == "no time to contact: the camera moves away"


def test_depth_says_its_unit_in_words() -> None:
    _, panel = drawn("depth", result_of())
    assert panel.text.legend.titles[0] == "depth in steps (a step: the camera's way between two frames)"


def test_a_clean_picture_has_neither_captions_nor_markers() -> None:
    result = result_of(looming=())
    image = result.pair.reference.image
    np.testing.assert_array_equal(draw(result, "image", Style(clean=True)), image)
    np.testing.assert_array_equal(draw(result, "epipole", Style(clean=True)), image)
    assert (draw(result, "image") != image).any()


def test_grey_depth_is_white_where_near_and_black_where_unknown() -> None:
    result = result_of()
    picture = draw(result, "depth", Style(colours="grey", clean=True))
    assert np.ptp(picture, axis=2).max() == 0
    assert (picture[:, -1] == 0).all()  # the last column is unknown
    shades = picture[:, 10, 0].astype(int)
    assert shades[0] == 255  # the top row is the nearest
    assert (np.diff(shades) <= 0).all()
    assert len(np.unique(shades)) > 100


@pytest.mark.parametrize("colours", COLOURS)
def test_every_map_of_colours_goes_from_dark_to_bright_or_round_the_hues(colours: str) -> None:
    colour = ramp(colours)
    assert colour.shape == (1, 256, 3)
    assert len(np.unique(colour.reshape(-1, 3), axis=0)) > 200


def test_fixed_limits_bound_the_colours_of_the_depth() -> None:
    result = result_of()  # from 8 to 80 steps
    picture = draw(result, "depth", Style(limits=(16, 40), colours="grey", clean=True))
    inverse = result.depth.inverse[:, 10]
    assert (picture[inverse >= 1 / 16, 10, 0] == 255).all()
    assert (picture[inverse <= 1 / 40, 10, 0] == 0).all()


def middlebury_colour(u: float, v: float) -> list[int]:
    """computeColor of the benchmark's colorcode.cpp, for vectors in units of the radius; RGB."""
    wheel = []
    for count, up in zip((15, 6, 4, 11, 13, 6), range(6), strict=True):
        for i in range(count):
            f, g = int(255 * i / count), 255 - int(255 * i / count)
            wheel.append([(255, f, 0), (g, 255, 0), (0, 255, f), (0, g, 255), (f, 0, 255), (255, 0, g)][up])
    radius = np.hypot(u, v)
    place = (np.arctan2(-v, -u) / np.pi + 1) / 2 * (len(wheel) - 1)
    lower = int(place)
    share = place - lower
    colour = []
    for channel in range(3):
        c = (1 - share) * wheel[lower][channel] / 255 + share * wheel[(lower + 1) % 55][channel] / 255
        colour.append(int(255 * (1 - radius * (1 - c) if radius <= 1 else 0.75 * c)))
    return colour


def test_the_wheel_is_middlebury_s() -> None:
    rng = np.random.default_rng(1)
    vectors = rng.uniform(-1.2, 1.2, (200, 2))
    vectors = vectors[abs(np.hypot(*vectors.T) - 1) > 0.03]  # there the reference jumps
    found = wheel_colours(3.5 * vectors[None].astype(np.float32), 3.5)[0, :, ::-1]
    expected = np.array([middlebury_colour(u, v) for u, v in vectors])
    assert np.abs(found - expected).max() <= 12  # the table has 64 steps from the centre to the radius
    assert np.abs(found - expected).mean() < 2


def test_no_motion_is_white_and_unknown_flow_black() -> None:
    vectors = np.array([[[0, 0], [np.nan, 1]]], np.float32)
    assert wheel_colours(vectors, 2.0)[0].tolist() == [[255] * 3, [0] * 3]


def test_arrows_and_wheel_show_where_things_go_as_time_passes() -> None:
    result = result_of()  # its flow leads back in time
    _, panel = drawn("colour", result)
    np.testing.assert_array_equal(panel.vectors_in_time[1:], -result.flow.vectors[1:])


def test_derivatives_are_grey_where_zero_and_beside_each_other() -> None:
    result = result_of((160, 120))
    picture, panel = drawn("derivatives", result)
    assert picture.shape == (120, 480, 3)
    assert [line.split()[0] for line, _ in panel.text.labels] == ["Ix", "Iy", "It"]
    ix, iy, it = pair_derivatives(result.pair)
    for position, values in enumerate((ix, iy, it)):
        shown = picture[:, 160 * position : 160 * (position + 1), 0].astype(int)
        assert (shown[values > 1] >= 128).all()
        assert (shown[values < -1] <= 128).all()


def test_points_that_obey_and_points_that_do_not_differ_in_shape() -> None:
    shapes = []
    for weight in (1.0, 0.0):
        picture = np.zeros((240, 320, 3), np.uint8)
        points = np.array([[100.0, 100.0]])
        draw_inliers(picture, Motion(Status.MOVING, points=points, weights=np.array([weight])))
        shapes.append(cv2.threshold(picture.max(axis=2), 60, 1, cv2.THRESH_BINARY)[1])
    assert (shapes[0] != shapes[1]).sum() >= 4


def test_views_without_values_are_not_available() -> None:
    assert available(result_of(planes=None, depth=None, objects=None)) == [
        "image", "flow", "colour", "derivatives", "confidence", "epipole",
    ]  # fmt: skip


@pytest.mark.parametrize("count", [0, 24_000])
def test_however_many_points_there_are_the_picture_is_seen(count: int) -> None:
    picture = np.zeros((2160, 3840, 3), np.uint8)
    points = np.random.default_rng(3).uniform((0, 0), (3840, 2160), (count, 2))
    draw_inliers(picture, Motion(Status.MOVING, points=points, weights=np.ones(count)))
    covered = picture.any(axis=2).mean()
    assert (0.001 if count else 0) <= covered < 0.02
