"""Cameras in documents of keys and values, whichever program wrote them.

Programs differ in the names of the keys, in how these are nested, and in little else: ROS, OpenCV, Kalibr,
EuRoC, ORB-SLAM, VINS, nerfstudio, RealSense, Open3D, Gyroflow.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from sources.calibration.lens import brown, fisheye, from_field_of_view, inverse_brown
from streamflow.errors import UsageError
from streamflow.geometry.camera import Calibration
from streamflow.values import Matrix

# Names of one thing, in the order in which they are believed.
MATRIX = ("camera_matrix", "cameramatrix", "intrinsic_matrix", "k", "mtx", "intrinsics", "m")
FX, FY = ("fx", "fl_x", "focal_x", "mu"), ("fy", "fl_y", "focal_y", "mv")
CX, CY = ("cx", "ppx", "u0", "principal_x"), ("cy", "ppy", "v0", "principal_y")
WIDTH, HEIGHT = ("image_width", "width", "cols", "w"), ("image_height", "height", "rows", "h")
SIZE = ("resolution", "image_size", "imagesize", "image_dimension")
DISTORTION = (
    "distortion_coefficients", "distortion_coeffs", "distcoeffs", "dist_coeffs", "distortion", "dist",
    "coeffs", "d",
)  # fmt: skip
MODEL = (
    "distortion_model", "camera_model", "model_type", "camera_type", "model", "type", "lens", "distortion",
)  # fmt: skip
BROWN_ORDER = ("k1", "k2", "p1", "p2", "k3", "k4", "k5", "k6")
FISHEYE_ORDER = ("k1", "k2", "k3", "k4")
KANNALA_BRANDT = ("k2", "k3", "k4", "k5")  # as camodocal numbers them, which VINS uses

# Maps whose keys belong to the camera that holds them.
PARTS = ("projection_parameters", "distortion_parameters", "fisheye_params", "calib_dimension", "intrinsics")

FISHEYE = ("fisheye", "equidistant", "kannala", "kb4")
UNKNOWN = ("omni", "mei", "ucm", "scaramuzza", "double", "ftheta", "prism")
STEREO = ("1", "2", "_left", "_right", "_l", "_r")  # ends of the keys of two cameras in one map


def cameras(document: Any, name: str, around: dict[str, Any] | None = None) -> Iterator[Calibration]:
    """Every camera in `document`; each is named by where it was found.

    Raises
    ------
    UsageError
        A camera has a lens of a kind that is not known.
    """
    if isinstance(document, list):
        for i, item in enumerate(document):
            yield from cameras(item, f"{name}#{i}", around)
    if not isinstance(document, dict):
        return
    keys = merged(document)
    shared = keys.get("camera")
    keys = {**(around or {}), **(_settings(shared) if isinstance(shared, dict) else {}), **keys}
    found = _camera(keys, name)
    if found is not None:
        yield found
        return
    for end in STEREO:
        half = {key.removesuffix(end): value for key, value in keys.items() if key.endswith(end)}
        found = _camera({**_settings(keys), **half}, f"{name}#{end.strip('_')}")
        if found is not None:
            yield found
    for key, value in document.items():
        if isinstance(value, dict | list):
            yield from cameras(value, f"{name}#{key}" if isinstance(value, dict) else name, _settings(keys))


def merged(document: dict[str, Any]) -> dict[str, Any]:
    """Keys in lower case, with those of the parts of a camera among them."""
    keys: dict[str, Any] = {}
    for key, value in document.items():
        if key.lower() in PARTS and isinstance(value, dict):
            keys.update(merged(value))
            if key.lower() == "fisheye_params":
                keys["lens"] = "fisheye"
        else:
            keys[key.lower()] = value
    return keys


def _settings(keys: dict[str, Any]) -> dict[str, Any]:
    """What cameras of one document share: size and kind of lens."""
    shared = {*WIDTH, *HEIGHT, *SIZE, *MODEL} - {"distortion"}
    return {key.lower(): value for key, value in keys.items() if key.lower() in shared}


def _camera(keys: dict[str, Any], name: str) -> Calibration | None:
    size = _size(keys)
    matrix = _matrix(keys, size, name)
    if matrix is None:
        return None
    words = _model(keys)
    if "ds" in words.split() or any(word in words for word in UNKNOWN):
        raise UsageError(
            f"{name}: the lens model {words} is not known here; calibrate it as pinhole with radtan or "
            "equidistant (fisheye) distortion"
        )
    coefficients = _coefficients(keys)
    if "fov" in words.split():
        return from_field_of_view(matrix, float(np.ravel(coefficients)[0]), size, name)
    if _is_fisheye(keys):
        return Calibration(matrix, size, fisheye(coefficients), fisheye=True, name=name)
    if "inverse" in words:
        return Calibration(matrix, size, brown(inverse_brown(coefficients, matrix)), name=name)
    return Calibration(matrix, size, brown(coefficients), name=name)


def _size(keys: dict[str, Any]) -> tuple[int, int] | None:
    for key in SIZE:
        if key in keys and len(numbers(keys[key])) == 2:
            width, height = numbers(keys[key])
            return int(width), int(height)
    width, height = _first(keys, WIDTH), _first(keys, HEIGHT)
    return None if width is None or height is None else (int(width), int(height))


def _matrix(keys: dict[str, Any], size: tuple[int, int] | None, name: str) -> Matrix | None:
    """(3, 3) pixels; None: `keys` are of no camera."""
    for key in MATRIX:
        values = numbers(keys.get(key))
        if len(values) == 4:  # fx fy cx cy
            return _pinhole(*values)
        if len(values) == 9:
            matrix = values.reshape(3, 3)
            return matrix.T if matrix[2, :2].any() else matrix  # stored by columns
    fx, cx, cy = _first(keys, FX), _first(keys, CX), _first(keys, CY)
    if fx is None and "camera_angle_x" in keys:
        fx = _from_angle(float(keys["camera_angle_x"]), size, name)
    if fx is None or (cx is None and size is None):
        return None
    if cx is None or cy is None:
        assert size is not None
        cx, cy = size[0] / 2, size[1] / 2
        return _pinhole(fx, _first(keys, FY) or fx, cx - 0.5, cy - 0.5)
    corner = 0.5 if "fl_x" in keys else 0.0  # nerfstudio counts from the corner of the first pixel
    return _pinhole(fx, _first(keys, FY) or fx, cx - corner, cy - corner)


def _from_angle(angle: float, size: tuple[int, int] | None, name: str) -> float:
    if size is None:
        raise UsageError(f"{name}: holds a field of view only; give --fov {np.degrees(angle):.4g} instead")
    return size[0] / 2 / float(np.tan(angle / 2))


def _coefficients(keys: dict[str, Any]) -> Matrix:
    for key in DISTORTION:
        if len(numbers(keys.get(key))):
            return numbers(keys[key])
    names = KANNALA_BRANDT if "mu" in keys else FISHEYE_ORDER if _is_fisheye(keys) else BROWN_ORDER
    return np.array([float(keys.get(name) or 0) for name in names])


def _is_fisheye(keys: dict[str, Any]) -> bool:
    return any(word in _model(keys) for word in FISHEYE)


def _model(keys: dict[str, Any]) -> str:
    """What is said of the lens, in words."""
    return " ".join(str(keys[key]).lower() for key in MODEL if isinstance(keys.get(key), str))


def _pinhole(fx: float, fy: float, cx: float, cy: float) -> Matrix:
    return np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1.0]])


def _first(keys: dict[str, Any], names: tuple[str, ...]) -> float | None:
    return next((float(keys[name]) for name in names if isinstance(keys.get(name), int | float)), None)


def numbers(value: Any) -> Matrix:
    """(N,) of a list, of lists in a list, of a matrix as OpenCV stores it, or of words; empty: it is none."""
    if isinstance(value, dict):
        value = value.get("data")
    if isinstance(value, str):
        value = value.replace(",", " ").split()
    try:
        return np.asarray([] if value is None else value, np.float64).ravel()
    except (ValueError, TypeError):
        return np.empty(0)
