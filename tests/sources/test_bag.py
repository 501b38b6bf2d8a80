"""ROS bags: pictures, times, calibration, and one line where it is not clear what is meant."""

import builtins
from contextlib import closing, suppress
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin

from sources import open_source
from sources.bag import BagSource
from streamflow.errors import SourceError, UsageError
from streamflow.geometry.camera import camera_for
from streamflow.options import Options
from streamflow.values import CameraSource
from tests.support.bags import BagWriter
from tests.support.clips import cut, numbers, picture, times

TOPIC = "/camera/image_raw"
K = np.array([[90.0, 0, 47], [0, 91, 31], [0, 0, 1]])
SIZE = (96, 64)


def read(spec: Path | str, **options):
    with closing(open_source(str(spec), **options)) as source:
        return list(source), source


@pytest.fixture(params=["drive.bag", "drive", "drive_sqlite"])
def bag(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    storage = StoragePlugin.SQLITE3 if "sqlite" in request.param else StoragePlugin.MCAP
    with BagWriter(tmp_path / request.param, storage) as writer:
        writer.camera_info("/camera/camera_info", K, SIZE, (0.1, -0.2, 0.001, 0.002, 0.0))
        writer.text("/chatter")
        for i in range(7):
            writer.image(TOPIC, i, picture(i))
    return tmp_path / request.param


def test_pictures_times_and_calibration_of_every_kind_of_bag(bag):
    frames, source = read(bag)
    assert numbers(frames) == list(range(7))
    assert times(frames) == [100 + Fraction(i, 25) for i in range(7)]  # when they were taken
    assert (source.info.length, source.info.size, source.info.stem) == (7, SIZE, bag.stem)
    camera = camera_for(Options(), source.info, SIZE)
    assert camera.source is CameraSource.RECORDED
    np.testing.assert_array_equal(camera.matrix, K)
    undone = cv2.undistort(frames[3].image, K, np.array([0.1, -0.2, 0.001, 0.002, 0.0]))
    inside = np.s_[8:-8, 8:-8]
    difference = np.abs(camera.rectify(frames[3]).image[inside].astype(int) - undone[inside])
    assert np.median(difference) <= 1


def test_a_file_of_a_ros_2_bag_by_itself_and_a_topic_by_name(bag):
    files = [path for path in ([bag] if bag.is_file() else bag.iterdir()) if path.suffix != ".yaml"]
    for spec in (files[0], f"{files[0]}:{TOPIC}", f"{bag}:{TOPIC}", f"{bag}:{TOPIC[1:]}"):
        assert numbers(read(spec)[0]) == list(range(7))


def test_two_topics_are_one_line_that_lists_them(tmp_path):
    with BagWriter(tmp_path / "two") as writer:
        for i in range(3):
            writer.image("/left/image_raw", i, picture(i))
            writer.image("/right/image_raw", i, picture(i + 10))
    with pytest.raises(SourceError, match=r"two: holds 2 .*two:/left/image_raw or .*two:/right/image_raw$"):
        BagSource(str(tmp_path / "two"))
    assert numbers(read(f"{tmp_path / 'two'}:/right/image_raw")[0]) == [10, 11, 12]


def test_a_topic_that_is_not_there_and_a_bag_without_pictures(tmp_path):
    with BagWriter(tmp_path / "other") as writer:
        writer.text("/chatter")
    with pytest.raises(SourceError, match=r"other: has no topic of pictures, but /chatter"):
        BagSource(str(tmp_path / "other"))
    with BagWriter(tmp_path / "one") as writer:
        writer.image(TOPIC, 0, picture(0))
    with pytest.raises(SourceError, match=r"has no pictures on /nope, but on /camera/image_raw"):
        BagSource(f"{tmp_path / 'one'}:/nope")


def test_compressed_pictures_and_their_camera(tmp_path):
    with BagWriter(tmp_path / "drive") as writer:
        writer.camera_info("/camera/camera_info", K, SIZE, (0.01, 0.02, 0.03, 0.04), "equidistant")
        for i in range(4):
            writer.compressed(f"{TOPIC}/compressed", i, picture(i))
    frames, source = read(tmp_path / "drive")
    assert numbers(frames) == list(range(4))
    assert source.info.fisheye
    np.testing.assert_array_equal(source.info.distortion, [0.01, 0.02, 0.03, 0.04])


def test_of_a_picture_that_is_there_raw_and_compressed_the_raw_one_is_read(tmp_path):
    with BagWriter(tmp_path / "drive") as writer:
        for i in range(3):
            writer.compressed(f"{TOPIC}/compressed", i, picture(i))
            writer.image(TOPIC, i, picture(i))
    frames, _ = read(tmp_path / "drive")
    np.testing.assert_array_equal(frames[1].image, picture(1))


def test_a_rectified_topic_has_the_camera_of_the_projection(tmp_path):
    with BagWriter(tmp_path / "drive") as writer:
        writer.camera_info("/camera/camera_info", K, SIZE, (0.1, -0.2, 0, 0, 0))
        for i in range(3):
            writer.image("/camera/image_rect_color", i, picture(i))
    info = read(tmp_path / "drive")[1].info
    assert info.distortion is None
    np.testing.assert_array_equal(info.camera_matrix, np.diag([2.0, 2, 1]) @ K)


def test_a_camera_that_nobody_calibrated_or_that_is_of_an_unknown_kind(tmp_path):
    with BagWriter(tmp_path / "zero") as writer:
        writer.camera_info("/camera/camera_info", np.zeros((3, 3)), SIZE)
        writer.image(TOPIC, 0, picture(0))
    assert read(tmp_path / "zero")[1].info.camera_matrix is None
    with BagWriter(tmp_path / "omni") as writer:
        writer.camera_info("/camera/camera_info", K, SIZE, (1.0, 2.0), "omnidirectional")
        writer.image(TOPIC, 0, picture(0))
    _, source = read(tmp_path / "omni")
    assert source.info.camera_matrix is None
    assert "its camera_info is left out" in source.health.notes[0]


def test_pictures_binned_by_two_have_their_camera_scaled(tmp_path):
    with BagWriter(tmp_path / "drive") as writer:
        writer.camera_info("/camera/camera_info", K, (192, 128))
        writer.image(TOPIC, 0, picture(0))
    np.testing.assert_allclose(
        read(tmp_path / "drive")[1].info.camera_matrix, [[45, 0, 23.25], [0, 45.5, 15.25], [0, 0, 1]]
    )


def test_without_times_in_the_headers_those_of_the_recorder_count(tmp_path):
    with BagWriter(tmp_path / "drive") as writer:
        for i in range(3):
            writer.image(TOPIC, i, picture(i), stamped=False)
    found = times(read(tmp_path / "drive")[0])
    assert [time - found[0] for time in found] == [0, Fraction(1, 25), Fraction(2, 25)]


BGR = picture(5)
CODED = {
    "rgb8": BGR[..., ::-1],
    "bgra8": np.dstack([BGR, np.full(BGR.shape[:2], 7, np.uint8)]),
    "rgba8": np.dstack([BGR[..., ::-1], np.full(BGR.shape[:2], 7, np.uint8)]),
    "8UC3": BGR,
}


@pytest.mark.parametrize("encoding", CODED)
def test_colours_in_any_order(encoding, tmp_path):
    with BagWriter(tmp_path / "drive") as writer:
        writer.image(TOPIC, 0, CODED[encoding], encoding)
    np.testing.assert_array_equal(read(tmp_path / "drive")[0][0].image, BGR)


@pytest.mark.parametrize(
    ("encoding", "first", "second"),
    [("bayer_rggb8", "rg", "gb"), ("bayer_bggr8", "bg", "gr"), ("bayer_gbrg8", "gb", "rg"),
     ("bayer_grbg8", "gr", "bg")],
)  # fmt: skip
def test_the_mosaic_of_a_sensor(encoding, first, second, tmp_path):
    """A red and a blue half: what the mosaic's cells of that colour see."""
    scene = np.zeros((64, 96, 3), np.uint8)
    scene[:, :48], scene[:, 48:] = (0, 0, 200), (200, 0, 0)
    cells = {"b": 0, "g": 1, "r": 2}
    mosaic = np.empty((64, 96), np.uint8)
    for y, row in enumerate((first, second)):
        for x, colour in enumerate(row):
            mosaic[y::2, x::2] = scene[y::2, x::2, cells[colour]]
    with BagWriter(tmp_path / "drive") as writer:
        writer.image(TOPIC, 0, mosaic, encoding)
    found = read(tmp_path / "drive")[0][0].image
    np.testing.assert_array_equal(found[8:-8, 8:40], scene[8:-8, 8:40])
    np.testing.assert_array_equal(found[8:-8, 56:-8], scene[8:-8, 56:-8])


@pytest.mark.parametrize(("encoding", "luma"), [("yuv422", 1), ("yuv422_yuy2", 0)])
def test_luma_and_chroma_in_turn(encoding, luma, tmp_path):
    grey = np.full((64, 96, 2), 128, np.uint8)
    grey[..., luma] = np.linspace(16, 235, 96)
    with BagWriter(tmp_path / "drive") as writer:
        writer.image(TOPIC, 0, grey, encoding)
    found = read(tmp_path / "drive")[0][0].image
    assert np.ptp(found.astype(int), axis=2).max() <= 1
    np.testing.assert_allclose(found[30, :, 0], np.linspace(0, 255, 96), atol=2.5)


def test_padded_rows_and_the_other_byte_order(tmp_path):
    padded = np.pad(picture(3)[..., 0], ((0, 0), (0, 5)))
    ramp = np.linspace(1000, 5000, 96 * 64).reshape(64, 96)
    with BagWriter(tmp_path / "drive") as writer:
        writer.image(TOPIC, 0, padded, "mono8", width=96)
        writer.image("/thermal/image_raw", 0, ramp.astype(">u2"), "mono16", is_bigendian=1)
    np.testing.assert_array_equal(
        read(f"{tmp_path / 'drive'}:{TOPIC}")[0][0].image[..., 0], picture(3)[..., 0]
    )
    frames, source = read(f"{tmp_path / 'drive'}:/thermal/image_raw", levels=(1000.0, 5000.0))
    np.testing.assert_allclose(frames[0].image[..., 1], (ramp - 1000) * 255 / 4000, atol=0.6)
    assert "1000:5000" in source.health.notes[0]


def test_levels_of_8_bits_are_refused(tmp_path):
    with BagWriter(tmp_path / "drive") as writer:
        writer.image(TOPIC, 0, picture(0))
    with pytest.raises(UsageError, match=r"8 bits deep; leave out levels"):
        BagSource(str(tmp_path / "drive"), levels=(0.0, 4095.0))


def test_a_picture_that_cannot_be_read_is_a_gap(tmp_path):
    with BagWriter(tmp_path / "drive") as writer:
        for i in range(4):
            writer.image(TOPIC, i, picture(i), **({"height": 99} if i == 1 else {}))
    frames, source = read(tmp_path / "drive")
    assert [frame.index for frame in frames] == [0, 2, 3]
    assert "fewer bytes" in frames[1].gap
    assert source.health.damaged == 1


def test_an_encoding_that_is_not_known_is_one_line(tmp_path):
    with BagWriter(tmp_path / "drive") as writer:
        writer.image(TOPIC, 0, picture(0), "nv99")
    with pytest.raises(SourceError, match=r"encoding nv99 are not known here"):
        BagSource(str(tmp_path / "drive"))


def test_a_pause_of_the_camera_is_a_gap(tmp_path):
    with BagWriter(tmp_path / "drive") as writer:
        for i in [*range(12), *range(60, 64)]:
            writer.image(TOPIC, i, picture(i))
    frames, _ = read(tmp_path / "drive")
    assert [i for i, frame in enumerate(frames) if frame.gap] == [12]


def test_seeking(tmp_path):
    with BagWriter(tmp_path / "drive") as writer:
        for i in range(100):
            writer.image(TOPIC, i, picture(i))
    frames, source = read(tmp_path / "drive", start=Fraction(3), end=Fraction(16, 5))
    assert numbers(frames) == [75, 76, 77, 78, 79]
    assert source.health.decoded < 40


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_bag_that_was_cut_off_is_read_as_far_as_it_goes_or_refused(bag, share):
    file = bag if bag.is_file() else next(path for path in bag.iterdir() if path.suffix != ".yaml")
    cut(file, share)
    with suppress(SourceError):
        frames, source = read(file)
        assert len(frames) == 7 or not source.health.whole


def test_what_is_no_bag_is_one_line(tmp_path):
    for name in ("text.mcap", "text.bag", "text.db3"):
        (tmp_path / name).write_text("no bag")
        with pytest.raises(SourceError, match=rf"{name}: cannot be read as a ROS bag") as caught:
            BagSource(str(tmp_path / name))
        assert "\n" not in str(caught.value)


def test_without_the_package_one_line_says_what_to_install(tmp_path, monkeypatch):
    load = builtins.__import__

    def without(name, *rest, **more):
        if name.startswith("rosbags"):
            raise ModuleNotFoundError(f"No module named {name!r}", name="rosbags")
        return load(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(SourceError, match=r"drive\.mcap: needs .*rosbags: pip install 'streamflow\[ros\]'$"):
        BagSource("drive.mcap")
