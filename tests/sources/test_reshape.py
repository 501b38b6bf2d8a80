"""Pictures turned and scaled: what the camera is known to be follows."""

from __future__ import annotations

from contextlib import closing
from fractions import Fraction

import cv2
import numpy as np
import pytest

from sources import open_source
from sources.options import SourceOptions
from sources.reading.reshape import scale, scaling, turn, turning
from streamflow.errors import SourceError, UsageError
from streamflow.geometry.camera import Calibration, camera_for
from streamflow.options import Options
from streamflow.values import SourceInfo
from tests.support.clips import number, picture, write_clip

K = np.array([[80.0, 0, 50.5], [0, 90, 30.25], [0, 0, 1]])
POINTS = np.array([[0.3, -0.2, 2.0], [-0.5, 0.1, 1.5], [0.2, 0.4, 3.0]])


def moved(transform: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    return pixels @ transform[:2, :2].T + transform[:2, 2]


@pytest.mark.parametrize("degrees", [0, 90, 180, 270, -90, 450])
def test_pixels_go_where_the_transform_says(degrees):
    image = picture(5, (96, 64))
    turned = turn(image, degrees)
    for x, y in [(0, 0), (95, 0), (17, 40)]:
        u, v = np.rint(moved(turning((96, 64), degrees), np.array([x, y]))).astype(int)
        np.testing.assert_array_equal(turned[v, u], image[y, x])


def test_a_scaled_picture_has_its_content_where_the_transform_says():
    y, x = np.mgrid[:64, :96]
    blob = np.exp(-((x - 30.25) ** 2 + (y - 40.5) ** 2) / 50)
    image = np.repeat((255 * blob).astype(np.uint8)[..., None], 3, axis=2)
    for size in [(48, 32), (144, 48), (192, 128)]:
        small = scale(image, size)[..., 0].astype(float)
        v, u = np.mgrid[: size[1], : size[0]]
        centre = np.array([(u * small).sum(), (v * small).sum()]) / small.sum()
        np.testing.assert_allclose(centre, moved(scaling((96, 64), size), np.array([30.25, 40.5])), atol=0.05)


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
@pytest.mark.parametrize("distortion", [None, [-0.2, 0.05, 0.01, -0.02, 0.003]])
def test_the_camera_of_turned_pictures_sees_the_turned_scene(degrees, distortion):
    """A point of the scene lies in the turned picture where its pixel was turned to."""
    lens = None if distortion is None else np.array(distortion)
    transform = turning((101, 61), degrees)
    size = (61, 101) if degrees % 180 else (101, 61)
    transform = scaling(size, (2 * size[0], 2 * size[1])) @ transform
    camera = Calibration(K, (101, 61), lens).seen_through(transform, (2 * size[0], 2 * size[1]))
    axes = np.eye(3)
    axes[:2, :2] = np.sign(np.round(transform[:2, :2], 9))
    before, _ = cv2.projectPoints(POINTS, np.zeros(3), np.zeros(3), K, lens)
    after, _ = cv2.projectPoints(POINTS @ axes.T, np.zeros(3), np.zeros(3), camera.matrix, camera.distortion)
    np.testing.assert_allclose(after[:, 0], moved(transform, before[:, 0]), atol=1e-9)
    assert camera.matrix[0, 0] > 0 < camera.matrix[1, 1]


def test_calibration_and_field_of_view_are_of_the_source_s_own_pictures(tmp_path):
    path = write_clip(tmp_path / "a.mp4", size=(96, 64), count=3)
    with closing(open_source(str(path), size=48, rotate=90)) as source:
        info, frames = source.info, list(source)
    assert {frame.size for frame in frames} == {(48, 72)}
    for options in (Options(camera=Calibration(K)), Options(camera=Calibration(K, (96, 64)))):
        camera = camera_for(options, info, (48, 72))
        expected = scaling((64, 96), (48, 72)) @ turning((96, 64), 90) @ K
        np.testing.assert_allclose(camera.matrix[:2, 2], expected[:2, 2])
        assert (camera.matrix[0, 0], camera.matrix[1, 1]) == (90 * 0.75, 80 * 0.75)
    by_angle = camera_for(Options(fov=90), info, (48, 72)).matrix
    assert by_angle[0, 0] == pytest.approx(48 * 0.75)  # 96 pixels wide before


def test_a_calibration_without_a_size_follows_a_change_of_size_in_mid_stream():
    info = SourceInfo("a.ts", "a", size=(640, 360))
    camera = camera_for(Options(camera=Calibration(np.diag([600.0, 600, 1]))), info, (320, 180))
    assert camera.matrix[0, 0] == 300


def test_turned_pictures_are_upright(tmp_path):
    path = write_clip(
        tmp_path / "a.mp4", count=3, size=(64, 96), draw=lambda i: turn(picture(i, (96, 64)), 90)
    )
    with closing(open_source(str(path), rotate=-90)) as source:
        assert [number(frame.image) for frame in source] == [0, 1, 2]


@pytest.mark.parametrize(("size", "word"), [((64, 8), "small"), ((2, 2), "small"), ((16400, 16), "large")])
def test_a_picture_of_a_size_that_is_no_use_is_one_line(tmp_path, size, word):
    for i in range(2):
        cv2.imwrite(str(tmp_path / f"{i}.png"), np.full((size[1], size[0], 3), i, np.uint8))
    with pytest.raises(SourceError, match=rf"pictures of {size[0]}x{size[1]} are too {word}") as caught:
        open_source(str(tmp_path))
    assert "\n" not in str(caught.value)
    with closing(open_source(str(tmp_path), size=(640, 360))) as source:
        assert {frame.size for frame in source} == {(640, 360)}


@pytest.mark.parametrize(
    "options",
    [
        {"start": 5, "end": 3}, {"every": 0}, {"frames": 1}, {"rotate": 45}, {"levels": (5, 5)}, {"fps": 0},
        {"size": 0}, {"size": (640, 0)}, {"start": "noon"}, {"fps": float("nan")},
    ],
)  # fmt: skip
def test_options_that_make_no_sense_are_refused_when_they_are_made(options):
    with pytest.raises(UsageError) as caught:
        SourceOptions(**options)
    assert next(iter(options)) in str(caught.value)


def test_numbers_of_any_kind_are_exact():
    options = SourceOptions(start=1.1, end=3, fps="30000/1001", size=640)
    assert options.start == Fraction(11, 10)
    assert options.end == Fraction(3)
    assert options.fps == Fraction(30000, 1001)
    assert options.size == (640, None)
