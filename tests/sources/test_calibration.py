"""Calibrations as other programs write them: one camera, in every form the same."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from sources.calibration import read_calibration
from sources.calibration.lens import from_field_of_view, inverse_brown
from sources.calibration.plain_yaml import read_yaml
from streamflow.errors import UsageError
from streamflow.geometry.camera import Calibration, camera_for
from streamflow.options import Options
from streamflow.values import SourceInfo
from tests.support.calibrations import FISHEYE, FORMS, KALIBR, KITTI_RAW, SIZE, VINS, K, colmap_binary


def write(path: Path, content: str | bytes) -> str:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def for_pictures(camera: Calibration, size: tuple[int, int] = SIZE, name: str = "drive.mp4") -> Calibration:
    return camera.of(name, size)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_the_same_camera(tmp_path, form):
    name, content, distortion = FORMS[form]
    camera = for_pictures(read_calibration(write(tmp_path / name, content)))
    np.testing.assert_allclose(camera.matrix, K, atol=1e-9)
    assert camera.size == SIZE
    assert camera.fisheye == (distortion is FISHEYE)
    found = np.zeros(4) if camera.distortion is None else camera.distortion
    np.testing.assert_allclose(found[:4], distortion or [0] * 4)
    assert not found[4:].any()


def test_the_camera_whose_size_fits_is_taken(tmp_path):
    camera = read_calibration(write(tmp_path / "camchain.yaml", KALIBR))
    assert for_pictures(camera, (800, 600)).fisheye
    assert for_pictures(camera, (640, 480)).matrix[0, 0] == 700
    info = SourceInfo("a.mp4", "a", size=(800, 600))
    assert camera_for(Options(camera=camera), info, (800, 600)).matrix[0, 0] == 500


def test_a_camera_is_taken_by_its_name(tmp_path):
    path = write(tmp_path / "camchain.yaml", KALIBR)
    assert read_calibration(f"{path}#cam1").matrix[0, 0] == 500
    with pytest.raises(UsageError, match="no camera cam7"):
        read_calibration(f"{path}#cam7")


def test_several_that_fit_are_an_error_that_names_them(tmp_path):
    twins = KALIBR.replace("[800, 600]", "[640, 480]")
    camera = read_calibration(write(tmp_path / "camchain.yaml", twins))
    with pytest.raises(UsageError, match=r"camchain.yaml holds several cameras; say which: .*#cam0, .*#cam1"):
        for_pictures(camera)


def test_kitti_takes_the_camera_of_the_folder(tmp_path):
    lines = [f"P{i}: {700 + i} 0 321.5 0 0 710 242.25 0 0 0 1 0\n" for i in range(4)]
    camera = read_calibration(write(tmp_path / "calib.txt", "".join(lines)))
    assert for_pictures(camera, name="06/image_2").matrix[0, 0] == 702
    same = read_calibration(write(tmp_path / "same.txt", lines[0] + lines[0].replace("P0", "P1")))
    assert for_pictures(same).matrix[0, 0] == 700


def test_kitti_before_rectification(tmp_path):
    camera = for_pictures(read_calibration(write(tmp_path / "c.txt", KITTI_RAW)), (1392, 512))
    assert camera.matrix[0, 0] == 950
    np.testing.assert_allclose(camera.distortion, [-0.37, 0.2, 0.0022, 0.0013, -0.072])


@pytest.mark.parametrize("omega", [0.5, 0.9, 1.1])
def test_arctangent_lens_is_fitted_within_a_fraction_of_a_pixel(omega):
    """Up to 60 degrees off the axis, by the model's own formula."""
    lens = from_field_of_view(K, omega, SIZE, "lens")
    theta = np.radians(np.linspace(1, 60, 30))
    rays = np.stack([np.tan(theta), 0 * theta], axis=-1)[:, None]
    seen = cv2.fisheye.distortPoints(rays, lens.matrix, lens.distortion)[:, 0]
    radius = np.arctan(2 * np.tan(theta) * np.tan(omega / 2)) / omega
    assert abs(seen[:, 0] - (K[0, 0] * radius + K[0, 2])).max() < 0.2


def test_inverse_brown_leads_back():
    given = np.array([-0.055, 0.066, -0.0006, 0.0008, -0.021])  # a D455's
    x, y = (axis.ravel() for axis in np.meshgrid(np.linspace(-0.45, 0.45, 9), np.linspace(-0.33, 0.33, 7)))
    r2 = x * x + y * y
    radial = 1 + given[0] * r2 + given[1] * r2**2 + given[4] * r2**3
    ideal = np.stack(
        [
            x * radial + 2 * given[2] * x * y + given[3] * (r2 + 2 * x * x),
            y * radial + given[2] * (r2 + 2 * y * y) + 2 * given[3] * x * y,
            np.ones_like(x),
        ],
        axis=-1,
    )
    back, _ = cv2.projectPoints(ideal, np.zeros(3), np.zeros(3), K, inverse_brown(given, K))
    assert abs(back[:, 0] - (np.stack([x, y], axis=-1) * (700, 710) + K[:2, 2])).max() < 0.05


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("omni.yaml", KALIBR.replace("pinhole", "omni"), "lens model .*omni.* is not known"),
        ("mei.yaml", VINS.replace("PINHOLE", "MEI"), "lens model mei is not known"),
        ("cameras.txt", "1 THIN_PRISM_FISHEYE 640 480 " + "1 " * 12, "export it as OPENCV"),
        ("transforms.json", '{"camera_angle_x": 0.6911, "frames": []}', r"give --fov 39.6 instead"),
        ("notes.txt", "Dear diary,\nnothing of note today.\n", "no camera in a form .*or give fx,fy,cx,cy"),
        ("half.json", '{"K": [[700, 0, 3', "no camera in a form .*or give fx,fy,cx,cy"),
        ("cameras.bin", colmap_binary()[:60], "no camera in a form .*or give fx,fy,cx,cy"),
        ("empty.yaml", "", "no camera in a form .*or give fx,fy,cx,cy"),
    ],
)
def test_what_is_not_known_is_one_line_that_says_what_to_give(tmp_path, name, content, message):
    with pytest.raises(UsageError, match=message) as caught:
        read_calibration(write(tmp_path / name, content))
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_yaml():
    text = """\
%YAML:1.0
---
# a comment
a: 1  # another
"b": 'two: words'
c:
- -0.5
- x
d: {e: [1, 2,
   3], f: yes}
matrix: !!opencv-matrix
   rows: 1
   data: [ 1., 2.e-3 ]
list:
  - name: first
    value: 3
  - name: second
empty:
...
---
second: document
"""
    assert read_yaml(text) == {
        "a": 1.0, "b": "two: words", "c": [-0.5, "x"], "d": {"e": [1.0, 2.0, 3.0], "f": "yes"},
        "matrix": {"rows": 1.0, "data": [1.0, 0.002]},
        "list": [{"name": "first", "value": 3.0}, {"name": "second"}], "empty": "",
    }  # fmt: skip
