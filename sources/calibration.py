"""The calibration of a camera, from a file or from a few numbers.

Files: a camera matrix as text (9 numbers, or ``fx fy cx cy``), OpenCV YAML or XML, ROS camera_info YAML,
COLMAP cameras.txt, npz with ``K``.
"""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np

from streamflow.errors import UsageError
from streamflow.geometry.camera import Calibration
from streamflow.values import Matrix


def read_calibration(spec: str) -> Calibration:
    """Read a camera from a file, or from numbers such as ``718.9,718.9,607.2,185.2``.

    Raises
    ------
    UsageError
        There is no such file, or it holds no camera matrix.
    """
    path = Path(spec)
    if not path.is_file():
        if re.fullmatch(r"[\d.,eE+\-\s]+", spec):
            return _from_numbers(spec, f"--camera {spec}")
        raise UsageError(f"--camera {spec}: no such file; give a calibration file or fx,fy,cx,cy")
    if path.suffix == ".npz":
        return _from_npz(path)
    text = path.read_text(errors="replace")
    if re.search(r"^\d+\s+[A-Z_]{5,}\s+\d+\s+\d+", text, re.MULTILINE):
        return _from_colmap(text, path.name)
    if "camera_matrix:" in text or re.search(r"^k: *(\[|$)", text, re.MULTILINE):
        return _from_ros(text, path.name) if "!!opencv-matrix" not in text else _from_opencv(path)
    if text.lstrip().startswith(("%YAML", "<?xml")):
        return _from_opencv(path)
    return _from_numbers(text, path.name)


def _from_numbers(text: str, name: str) -> Calibration:
    try:
        numbers = [float(word) for word in re.split(r"[\s,;]+", text.strip())]
    except ValueError:
        raise UsageError(f"{name}: holds no camera matrix in a form known here") from None
    if len(numbers) not in (4, 9):
        raise UsageError(f"{name}: a camera is 4 numbers (fx fy cx cy) or 9 (3x3), not {len(numbers)}")
    if len(numbers) == 4:
        fx, fy, cx, cy = numbers
        numbers = [fx, 0, cx, 0, fy, cy, 0, 0, 1]
    return Calibration(_checked(np.array(numbers).reshape(3, 3), name), name=name)


def _from_npz(path: Path) -> Calibration:
    with np.load(path) as arrays:
        key = next((key for key in ("K", "camera_matrix", "mtx") if key in arrays), None)
        if key is None:
            raise UsageError(f"{path.name}: no array K (there are {', '.join(arrays)})")
        distortion = next((arrays[key] for key in ("distortion", "dist", "D") if key in arrays), None)
        return Calibration(_checked(arrays[key], path.name), distortion=distortion, name=path.name)


def _from_opencv(path: Path) -> Calibration:
    storage = cv2.FileStorage(str(path), cv2.FILE_STORAGE_READ)
    try:
        nodes = {key: storage.getNode(key) for key in storage.root().keys()}  # noqa: SIM118 (no iterator)
        names = (
            "camera_matrix",
            "cameraMatrix",
            "K",
            "distortion_coefficients",
            "dist_coeffs",
            "distCoeffs",
            "D",
        )
        found = [np.asarray(nodes[key].mat(), np.float64) for key in names if key in nodes]
        matrix = next((array for array in found if array.shape == (3, 3)), None)
        if matrix is None:
            raise UsageError(f"{path.name}: no camera_matrix (there are {', '.join(nodes)})")
        distortion = next((array.ravel() for array in found if array.shape != (3, 3)), None)
        has_size = {"image_width", "image_height"} <= nodes.keys()
        size = (int(nodes["image_width"].real()), int(nodes["image_height"].real())) if has_size else None
        return Calibration(_checked(matrix, path.name), size, distortion, name=path.name)
    finally:
        storage.release()


def _from_ros(text: str, name: str) -> Calibration:
    """camera_info, as calibration tools save it or as ``ros2 topic echo`` prints it."""
    matrix = _numbers_after(r"(?:camera_matrix|^k)\s*:", text)
    if matrix is None or len(matrix) != 9:
        raise UsageError(f"{name}: camera_matrix is not 9 numbers")
    distortion = _numbers_after(r"(?:distortion_coefficients|^d)\s*:", text)
    width, height = (
        re.search(rf"^(?:image_)?{side}:\s*(\d+)", text, re.MULTILINE) for side in ("width", "height")
    )
    return Calibration(
        _checked(np.array(matrix).reshape(3, 3), name),
        (int(width[1]), int(height[1])) if width and height else None,
        np.array(distortion) if distortion and any(distortion) else None,
        fisheye=re.search(r"distortion_model:\s*['\"]?(fisheye|equidistant)", text) is not None,
        name=name,
    )


def _numbers_after(key: str, text: str) -> list[float] | None:
    """Read the YAML list, in brackets or with dashes, that follows a key."""
    found = re.search(key, text, re.MULTILINE)
    if not found:
        return None
    rest = text[found.end() :]
    brackets = re.match(r"(?:\s*(?:rows|cols):\s*\d+)*\s*(?:data:\s*)?\[([^\]]*)\]", rest)
    if brackets:
        return [float(word) for word in brackets[1].replace(",", " ").split()]
    dashes = re.match(r"(?:\s*(?:rows|cols):\s*\d+)*\s*(?:data:)?((?:\s*- *[-+.\deE]+)+)", rest)
    return [float(word) for word in re.findall(r"- *([-+.\deE]+)", dashes[1])] if dashes else None


def _from_colmap(text: str, name: str) -> Calibration:
    """cameras.txt: ID MODEL WIDTH HEIGHT PARAMS; COLMAP's pixel centres are at one half."""
    line = next(line for line in text.splitlines() if line.strip() and not line.startswith("#"))
    _, model, width, height, *words = line.split()
    p = [float(word) for word in words]
    if model in ("SIMPLE_PINHOLE", "SIMPLE_RADIAL", "RADIAL"):
        focal, centre, distortion = (p[0], p[0]), p[1:3], [*p[3:], *[0] * 4][:4]
    elif model in ("PINHOLE", "OPENCV", "OPENCV_FISHEYE"):
        focal, centre, distortion = (p[0], p[1]), p[2:4], p[4:]
    else:
        raise UsageError(f"{name}: camera model {model} is not known here; export it as OPENCV")
    matrix = np.array([[focal[0], 0, centre[0] - 0.5], [0, focal[1], centre[1] - 0.5], [0, 0, 1]])
    return Calibration(
        _checked(matrix, name), (int(width), int(height)),
        np.array(distortion) if any(distortion) else None, model == "OPENCV_FISHEYE", name,
    )  # fmt: skip


def _checked(matrix: Matrix, name: str) -> Matrix:
    matrix = np.asarray(matrix, np.float64)
    if (
        matrix.shape != (3, 3)
        or matrix[0, 0] <= 0
        or matrix[1, 1] <= 0
        or not np.allclose(matrix[2], (0, 0, 1))
    ):
        raise UsageError(f"{name}: not a camera matrix (fx 0 cx, 0 fy cy, 0 0 1)")
    return matrix
