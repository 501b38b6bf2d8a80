"""Calibrations as other programs write them: one camera, in every form the same."""

from __future__ import annotations

import json
import struct
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

K = np.array([[700.0, 0, 321.5], [0, 710.0, 242.25], [0, 0, 1]])
BROWN = [-0.28, 0.07, 0.001, -0.002]
FISHEYE = [-0.01, 0.02, -0.003, 0.001]
SIZE = (640, 480)

KALIBR = """\
cam0:
  cam_overlaps: [1]
  camera_model: pinhole
  distortion_coeffs: [-0.28, 0.07, 0.001, -0.002]
  distortion_model: radtan
  intrinsics: [700.0, 710.0, 321.5, 242.25]
  resolution: [640, 480]
  rostopic: /cam0/image_raw
cam1:
  T_cn_cnm1:
  - [0.99, 0.0, 0.0,
     -0.11]
  - [0.0, 1.0, 0.0, 0.0]
  camera_model: pinhole
  distortion_coeffs: [-0.01, 0.02, -0.003, 0.001]
  distortion_model: equidistant
  intrinsics: [500.0, 500.0, 400.5, 300.25]
  resolution: [800, 600]
"""
EUROC = """\
# General sensor definitions.
sensor_type: camera
comment: VI-Sensor cam0 (MT9M034)
T_BS:
  cols: 4
  rows: 4
  data: [0.0148, -0.9998, 0.0041, -0.0216,
         0.9995, 0.0149, 0.0257, -0.0646]
rate_hz: 20
resolution: [640, 480]
camera_model: pinhole
intrinsics: [700.0, 710.0, 321.5, 242.25] #fu, fv, cu, cv
distortion_model: radial-tangential
distortion_coefficients: [-0.28, 0.07, 0.001, -0.002]
"""
ORB2 = """\
%YAML:1.0
# Camera calibration and distortion parameters (OpenCV)
Camera.fx: 700.0
Camera.fy: 710.0
Camera.cx: 321.5
Camera.cy: 242.25
Camera.k1: -0.28
Camera.k2: 0.07
Camera.p1: 0.001
Camera.p2: -0.002
Camera.width: 640
Camera.height: 480
ORBextractor.nFeatures: 1200
"""
ORB3_FISHEYE = """\
%YAML:1.0
File.version: "1.0"
Camera.type: "KannalaBrandt8"
Camera1.fx: 700.0
Camera1.fy: 710.0
Camera1.cx: 321.5
Camera1.cy: 242.25
Camera1.k1: -0.01
Camera1.k2: 0.02
Camera1.k3: -0.003
Camera1.k4: 0.001
Camera.width: 640
Camera.height: 480
"""
VINS = """\
%YAML:1.0
---
model_type: PINHOLE
image_width: 640
image_height: 480
distortion_parameters:
   k1: -0.28
   k2: 0.07
   p1: 0.001
   p2: -0.002
projection_parameters:
   fx: 700.0
   fy: 710.0
   cx: 321.5
   cy: 242.25
"""
VINS_FISHEYE = """\
%YAML:1.0
---
model_type: KANNALA_BRANDT
image_width: 640
image_height: 480
projection_parameters:
   k2: -0.01
   k3: 0.02
   k4: -0.003
   k5: 0.001
   mu: 700.0
   mv: 710.0
   u0: 321.5
   v0: 242.25
"""
KITTI_RAW = """\
calib_time: 09-Jan-2012 13:57:47
S_02: 1.392000e+03 5.120000e+02
K_02: 9.5e+02 0 6.9e+02 0 9.6e+02 2.2e+02 0 0 1
D_02: -3.7e-01 2.0e-01 2.2e-03 1.3e-03 -7.2e-02
S_rect_02: 6.40e+02 4.80e+02
P_rect_02: 7.0e+02 0 3.215e+02 4.4e+01 0 7.1e+02 2.4225e+02 2.1e-01 0 0 1 2.7e-03
"""
REALSENSE = """\
 Intrinsic of "Color" / 1280x720 / {YUYV/RGB8}
  Width:      	1280
  Height:     	720
  PPX:        	640.0
  PPY:        	360.0
  Fx:         	900.0
  Fy:         	900.0
  Distortion: 	Inverse Brown Conrady
  Coeffs:     	0  	0  	0  	0  	0

 Intrinsic of "Color" / 640x480 / {YUYV/RGB8}
  Width:      	640
  Height:     	480
  PPX:        	321.5
  PPY:        	242.25
  Fx:         	700.0
  Fy:         	710.0
  Distortion: 	Brown Conrady
  Coeffs:     	-0.28  	0.07  	0.001  	-0.002  	0
"""
NERFSTUDIO = {
    "camera_model": "OPENCV", "w": 640, "h": 480, "fl_x": 700.0, "fl_y": 710.0, "cx": 322.0, "cy": 242.75,
    "k1": -0.28, "k2": 0.07, "p1": 0.001, "p2": -0.002, "frames": [{"file_path": "a.png"}],
}  # fmt: skip
GYROFLOW = {
    "name": "GoPro", "calib_dimension": {"w": 640, "h": 480}, "distortion_model": None,
    "fisheye_params": {"RMS_error": 0.4, "camera_matrix": K.tolist(), "distortion_coeffs": FISHEYE},
}  # fmt: skip
OPEN3D = {"width": 640, "height": 480, "intrinsic_matrix": K.T.ravel().tolist()}
COLMAP_FULL = "# Camera list\n3 FULL_OPENCV 640 480 700 710 322 242.75 -0.28 0.07 0.001 -0.002 0 0 0 0\n"
DSO = "RadTan 700 710 321.5 242.25 -0.28 .07 .001 -.002\n640 480\ncrop\n640 480\n"
DSO_RELATIVE = f"{700 / 640} {710 / 480} {322 / 640} {242.75 / 480} 0\n640 480\nnone\n"


def colmap_binary() -> bytes:
    first = struct.pack("<iiQQ4d", 1, 1, 4000, 3000, 3000, 3000, 2000, 1500)
    return struct.pack("<Q", 2) + first + struct.pack("<iiQQ8d", 2, 4, *SIZE, 700, 710, 322, 242.75, *BROWN)


FORMS: dict[str, tuple[str, str | bytes, list[float]]] = {
    "Kalibr": ("camchain.yaml", KALIBR, BROWN),
    "EuRoC": ("sensor.yaml", EUROC, BROWN),
    "ORB-SLAM2": ("TUM1.yaml", ORB2, BROWN),
    "ORB-SLAM3": ("TUM-VI.yaml", ORB3_FISHEYE, FISHEYE),
    "VINS": ("pinhole.yaml", VINS, BROWN),
    "VINS fisheye": ("fisheye.yaml", VINS_FISHEYE, FISHEYE),
    "KITTI raw": ("calib_cam_to_cam.txt", KITTI_RAW, []),
    "RealSense": ("rs.txt", REALSENSE, BROWN),
    "nerfstudio": ("transforms.json", json.dumps(NERFSTUDIO), BROWN),
    "Gyroflow": ("lens.json", json.dumps(GYROFLOW), FISHEYE),
    "Open3D": ("intrinsic.json", json.dumps(OPEN3D), []),
    "COLMAP": ("cameras.txt", COLMAP_FULL, BROWN),
    "COLMAP binary": ("cameras.bin", colmap_binary(), BROWN),
    "DSO": ("camera.txt", DSO, BROWN),
    "DSO relative": ("camera.txt", DSO_RELATIVE, []),
    "plain YAML": ("c.yml", "camera: {fx: 700, fy: 710, cx: 321.5, cy: 242.25, width: 640, height: 480}", []),
    "plain JSON": ("c.json", json.dumps({"K": K.tolist(), "dist": [BROWN], "image_size": SIZE}), BROWN),
}  # fmt: skip


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
