"""The program from Python: what a user types in a notebook, with arrays of their own."""

from __future__ import annotations

import pydoc

import cv2
import numpy as np
import pytest

import streamflow as sf
from streamflow.evaluation.scene import rectangle, render
from streamflow.geometry.camera import matrix_from_fov

SIZE = 131, 95  # odd, and different, so that no swapped axis can hide
STEP = 0.06


def picture(index: int) -> np.ndarray:
    """(95, 131, 3) uint8 RGB: what a camera that moves to the right sees of a wall."""
    wall = rectangle((-30, -20, 3), (60, 0, 0), (0, 40, 0), texel=0.03, seed=5, colour=(0.4, 0.7, 1.0))
    pose = np.eye(4)
    pose[0, 3] = STEP * index
    return render([wall], pose, matrix_from_fov(60, SIZE), SIZE)[0][..., ::-1].copy()


def plain(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return sf.flow(first, second, method="plain")


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    return [picture(index) for index in range(4)]


@pytest.fixture(scope="module")
def found(pictures: list[np.ndarray]) -> list[sf.Result]:
    return list(sf.results(pictures, stages={"depth"}))


def test_two_arrays_in_two_arrays_out(pictures: list[np.ndarray]) -> None:
    vectors, sigma = sf.flow(pictures[0], pictures[1])
    assert vectors.shape == (95, 131, 2)
    assert sigma.shape == (95, 131)
    focal = matrix_from_fov(60, SIZE)[0, 0]
    np.testing.assert_allclose(np.median(vectors, axis=(0, 1)), (-STEP * focal / 3, 0), atol=0.05)  # pixels


def test_floats_from_0_to_1_mean_the_same_as_uint8(pictures: list[np.ndarray]) -> None:
    floats = [image.astype(np.float32) / 255 for image in pictures[:2]]
    for ours, theirs in zip(plain(*floats), plain(*pictures[:2]), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_colours_are_rgb(pictures: list[np.ndarray]) -> None:
    grey = [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in pictures[:2]]
    np.testing.assert_array_equal(plain(*grey)[0], plain(*pictures[:2])[0])
    (result,) = sf.results(pictures[:2], stages="flow")
    np.testing.assert_array_equal(result.pair.target.image, pictures[0][..., ::-1])


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((2, 40, 50, 3), np.uint8), r"not an array of shape \(2, 40, 50, 3\)"),
        (np.zeros((40, 50, 2), np.uint8), r"\(H, W, 3\) RGB, not an array of shape \(40, 50, 2\)"),
        (np.zeros((40, 50, 3), np.uint16), "not uint16"),
        (np.full((40, 50), 17.0), "from 0 to 1"),
        (np.full((40, 50), np.nan), "from 0 to 1"),
        (np.zeros((9, 50), np.uint8), "at least 16x16"),
        ("drive.mp4", r"not an array of shape \(\)"),
    ],
)
def test_what_is_no_image_is_one_clear_error(image: object, message: str) -> None:
    with pytest.raises(sf.UsageError, match=message):
        sf.flow(image, image)


def test_images_of_two_sizes_make_no_pair(pictures: list[np.ndarray]) -> None:
    with pytest.raises(sf.UsageError, match="131x95 and 129x95"):
        sf.flow(pictures[0], pictures[1][:, 2:])


def test_a_name_is_not_a_stream() -> None:
    with pytest.raises(sf.UsageError, match=r"streamflow\.open"):
        list(sf.results("drive.mp4"))


def test_results_of_arrays_have_what_was_asked_for_and_what_it_builds_on(found: list[sf.Result]) -> None:
    assert [result.pair.reference.index for result in found] == [1, 2, 3]
    for result in found:
        assert result.flow is not None
        assert result.motion is not None
        assert np.isfinite(result.depth.z).any() == (result.motion.translation is not None)
        assert result.planes is None


def test_a_stage_that_there_is_not_is_told_at_once(pictures: list[np.ndarray]) -> None:
    with pytest.raises(sf.UsageError, match="no stage 'dept'; there are flow, motion, moving, depth"):
        sf.results(pictures, stages={"dept"})


def test_an_open_source_is_a_context_and_an_iterable() -> None:
    with sf.open("demo:still,size=64x48,frames=3") as source:
        assert source.info.size == (64, 48)
        results = list(sf.results(source, stages={"flow"}))
    assert len(results) == 2
    assert source.health.decoded == 3
    assert results[0].camera_source == "recorded"  # what the source knows of its camera came along


@pytest.mark.parametrize("view", ["flow", "confidence", "epipole", "depth", None])
def test_a_view_is_drawn_in_rgb(found: list[sf.Result], view: str | None) -> None:
    drawn = sf.draw(found[-1], view)
    assert drawn.shape == (95, 131, 3)
    assert drawn.dtype == np.uint8
    if view == "epipole":  # the picture itself, with little drawn over it
        error = np.abs(drawn.astype(int) - found[-1].pair.reference.image[..., ::-1]).max(axis=-1)
        assert np.median(error) == 0


def test_a_view_that_there_is_not() -> None:
    (result,) = sf.results([picture(0), picture(1)], stages={"flow"})
    with pytest.raises(sf.UsageError, match="no view 'depht'; there are image, flow, "):
        sf.draw(result, "depht")


def test_a_result_says_in_a_line_what_it_is_and_shows_itself(found: list[sf.Result]) -> None:
    assert repr(found[0]).startswith("<Result: frame 1 to 0, 131x95, ")
    assert "\n" not in repr(found[0])
    shown = cv2.imdecode(np.frombuffer(found[0]._repr_png_(), np.uint8), cv2.IMREAD_COLOR)
    np.testing.assert_array_equal(shown[..., ::-1], sf.draw(found[0], "depth"))


@pytest.mark.parametrize(
    ("value", "field", "meaning"),
    [
        (sf.Flow, "vectors : Vectors", "(H, W, 2) pixels"),
        (sf.Depth, "variance : Map", "of `inverse`"),
        (sf.Motion, "rotation : Matrix | None", "(3, 3) R"),
    ],
)
def test_help_tells_what_a_field_means(value: type, field: str, meaning: str) -> None:
    text = pydoc.plain(pydoc.render_doc(value))
    assert meaning in text.partition(field)[2].partition("\n")[2].partition("\n")[0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"flow": "best"}, "`flow` best: there are fast"),
        ({"motion": "rotation"}, "`motion` rotation"),
        ({"reference": "first"}, "`reference` first"),
        ({"fov": 181.0}, "`fov` 181 is not from 1 to 179"),
        ({"speed": float("nan")}, "`speed` nan"),
        ({"baseline": 0.0}, "`baseline` 0 is not at least"),
        ({"speed": 3.0, "baseline": 1.0}, "`speed` and `baseline` both"),
        ({"region": (0, 0, 4, 40)}, "`region` 0,0,4,40"),
    ],
)
def test_options_are_checked_when_they_are_made(options: dict, message: str) -> None:
    with pytest.raises(sf.UsageError, match=message):
        sf.Options(**options)


def test_every_name_is_offered_and_can_be_had() -> None:
    assert set(sf.__all__) < set(dir(sf))
    for name in dir(sf):
        assert getattr(sf, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        sf.nothing  # noqa: B018


def test_the_functions_stay_when_the_packages_of_their_names_are_used() -> None:
    from streamflow.draw.painter import Painter
    from streamflow.flow.engine import FlowEngine

    assert {FlowEngine.__module__, Painter.__module__} == {
        "streamflow.flow.engine",
        "streamflow.draw.painter",
    }
    assert callable(sf.flow)
    assert callable(sf.draw)


def test_part_of_a_source_at_another_size() -> None:
    with sf.open("demo:still,size=64x48,frames=30", start=0.5, every=2, size=32) as source:
        frames = list(source)
    assert len(frames) == 8  # of the 15 that follow
    assert {frame.size for frame in frames} == {(32, 24)}


def test_an_option_that_a_source_cannot_use_is_named_as_python_has_it() -> None:
    with pytest.raises(sf.UsageError, match="`every_frame` is of no use here"):
        sf.open("demo", every_frame=True)
