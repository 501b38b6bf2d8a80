"""Camera matrices from every form a user has them in, and images of another size."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from sources.calibration import read_calibration
from streamflow.errors import UsageError
from streamflow.geometry.camera import Calibration, Camera, camera_for, matrix_from_fov
from streamflow.options import Options
from streamflow.values import CameraSource, Frame, SourceInfo

K = np.array([[700.0, 0, 321.5], [0, 710.0, 242.25], [0, 0, 1]])
DISTORTION = [-0.28, 0.07, 0.001, -0.002, 0.01]

ROS = """\
image_width: 640
image_height: 480
camera_name: front
camera_matrix:
  rows: 3
  cols: 3
  data: [700.0, 0, 321.5, 0, 710.0, 242.25, 0, 0, 1]
distortion_model: plumb_bob
distortion_coefficients:
  rows: 1
  cols: 5
  data: [-0.28, 0.07, 0.001, -0.002, 0.01]
"""
ROS_TOPIC = """\
height: 480
width: 640
distortion_model: plumb_bob
d:
- -0.28
- 0.07
- 0.001
- -0.002
- 0.01
k:
- 700.0
- 0.0
- 321.5
- 0.0
- 710.0
- 242.25
- 0.0
- 0.0
- 1.0
"""
COLMAP = """\
# Camera list with one line of data per camera:
1 OPENCV 640 480 700 710 322 242.75 -0.28 0.07 0.001 -0.002
"""


def write(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


def opencv_file(path: Path) -> str:
    storage = cv2.FileStorage(str(path), cv2.FILE_STORAGE_WRITE)
    storage.write("image_width", 640)
    storage.write("image_height", 480)
    storage.write("camera_matrix", K)
    storage.write("distortion_coefficients", np.array([DISTORTION]))
    storage.release()
    return str(path)


def test_every_form_gives_the_same_matrix(tmp_path: Path) -> None:
    np.savez(tmp_path / "k.npz", K=K, dist=np.array(DISTORTION))
    forms = {
        "numbers": "700,710,321.5,242.25",
        "nine numbers": "700 0 321.5 0 710 242.25 0 0 1",
        "text": write(tmp_path / "K.txt", "700 0 321.5\n0 710 242.25\n0 0 1\n"),
        "four": write(tmp_path / "four.txt", "700 710 321.5 242.25\n"),
        "ros": write(tmp_path / "ros.yaml", ROS),
        "topic": write(tmp_path / "topic.yaml", ROS_TOPIC),
        "colmap": write(tmp_path / "cameras.txt", COLMAP),
        "npz": str(tmp_path / "k.npz"),
        "opencv yaml": opencv_file(tmp_path / "cv.yaml"),
        "opencv xml": opencv_file(tmp_path / "cv.xml"),
    }
    for name, form in forms.items():
        np.testing.assert_allclose(read_calibration(form).matrix, K, err_msg=name)


@pytest.mark.parametrize("form", ["ros.yaml", "topic.yaml", "cameras.txt", "cv.yaml", "k.npz"])
def test_distortion_is_read(form: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "k.npz", K=K, dist=np.array(DISTORTION))
    write(tmp_path / "ros.yaml", ROS)
    write(tmp_path / "topic.yaml", ROS_TOPIC)
    write(tmp_path / "cameras.txt", COLMAP)
    opencv_file(tmp_path / "cv.yaml")
    distortion = read_calibration(str(tmp_path / form)).distortion
    np.testing.assert_allclose(np.ravel(distortion)[:4], DISTORTION[:4])


def test_a_calibration_of_another_size_is_scaled() -> None:
    half = Calibration(K, (640, 480)).scaled_to((320, 240)).matrix
    ray = np.linalg.inv(K) @ (100.5, 60.5, 1)  # the corner between four pixels, which merge into one
    np.testing.assert_allclose(half @ ray, (50, 30, 1))


def test_a_calibration_of_another_shape_is_refused() -> None:
    with pytest.raises(UsageError, match=r"640x480.*640x360.*another shape"):
        Calibration(K, (640, 480)).scaled_to((640, 360))


@pytest.mark.parametrize(
    ("text", "message"),
    [("1 2 3", "4 numbers .* not 3"), ("hello", "no camera matrix"), ("-5 5 1 1", "not a camera matrix")],
)
def test_nonsense_is_refused(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=message):
        read_calibration(write(tmp_path / "K.txt", text))


def test_the_field_of_view_is_the_angle_between_the_outer_edges() -> None:
    matrix = matrix_from_fov(90, (640, 480))
    left, right = (np.linalg.inv(matrix) @ (x, 0, 1) for x in (-0.5, 639.5))
    assert np.degrees(np.arctan(right[0]) - np.arctan(left[0])) == pytest.approx(90)


def test_who_is_believed() -> None:
    known = SourceInfo("s", "s", size=(640, 480), camera_matrix=K)
    assert camera_for(Options(fov=90), known, (640, 480)).matrix[0, 0] == pytest.approx(320)
    assert camera_for(Options(), known, (640, 480)).matrix[0, 0] == 700
    exif = SourceInfo("s", "s", focal_35mm=18.0)
    assert camera_for(Options(), exif, (640, 480)).matrix[0, 0] == pytest.approx(320)
    assumed = camera_for(Options(), None, (640, 480))
    assert assumed.source is CameraSource.ASSUMED
    assert not assumed.focal_known
    assert assumed.matrix[0, 0] == pytest.approx(320 / np.tan(np.radians(30)))


@pytest.mark.parametrize("fisheye", [False, True])
def test_rectifying_straightens_the_lens(fisheye: bool) -> None:
    coefficients = np.array([-0.2, 0.03, 0, 0])
    points = np.array([[[100.0, 80]], [[500, 400]], [[320, 40]]])
    rays = (points - K[:2, 2]) / (K[0, 0], K[1, 1])
    if fisheye:
        seen = cv2.fisheye.distortPoints(rays, K, coefficients)
    else:
        seen, _ = cv2.projectPoints(
            np.concatenate([rays, np.ones((3, 1, 1))], axis=-1), np.zeros(3), np.zeros(3), K, coefficients
        )
    image = np.zeros((480, 640, 3), np.uint8)
    for x, y in np.round(seen[:, 0]).astype(int):
        cv2.circle(image, (int(x), int(y)), 3, (255, 255, 255), -1)
    camera = Camera(Calibration(K, None, coefficients, fisheye), (640, 480))
    frame = camera.rectify(Frame(0, image))
    assert frame.rectified
    assert not Camera(Calibration(K), (640, 480)).rectify(Frame(0, image)).rectified
    rectified = frame.grey
    _, _, _, centres = cv2.connectedComponentsWithStats((rectified > 127).astype(np.uint8))
    for point in points[:, 0]:
        assert np.min(np.linalg.norm(centres[1:] - point, axis=1)) < 1  # pixel
