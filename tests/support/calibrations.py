"""One camera as other programs write it."""

from __future__ import annotations

import json
import struct

import numpy as np

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
