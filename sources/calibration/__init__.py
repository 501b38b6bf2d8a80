"""The calibration of a camera, from a file of another program or from a few numbers."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from sources.calibration.colmap import LINE as COLMAP_LINE
from sources.calibration.colmap import cameras_in_binary, cameras_in_text
from sources.calibration.dso import camera_of_dso
from sources.calibration.keyed import cameras
from sources.calibration.kitti import LINE as KITTI_LINE
from sources.calibration.kitti import cameras_in_kitti
from sources.calibration.plain_yaml import read_yaml
from sources.calibration.realsense import cameras_of_realsense
from streamflow.errors import UsageError
from streamflow.geometry.camera import Calibration

FORMS = (
    "YAML, XML or JSON of OpenCV, ROS, Kalibr, EuRoC, ORB-SLAM, VINS, nerfstudio, RealSense, Open3D or "
    "Gyroflow; COLMAP's cameras.txt or .bin; KITTI's calib.txt; DSO's camera.txt; npz with K; 3x3 numbers"
)


def read_calibration(spec: str) -> Calibration:
    """Read a camera from a file, or from numbers such as ``718.9,718.9,607.2,185.2``.

    Where a file holds several cameras, ``FILE#NAME`` takes one of them; else they come together, and the
    one that fits the pictures is found when these are known.

    Raises
    ------
    UsageError
        There is no such file, or it holds no camera in a form that is known.
    """
    path, _, chosen = (spec, "", "") if Path(spec).is_file() else spec.rpartition("#")
    if not Path(path).is_file():
        if re.fullmatch(r"[\d.,eE+\-\s]+", spec):
            return _together(_from_numbers(spec, f"--camera {spec}"), spec, "")
        raise UsageError(f"--camera {spec}: no such file; give a calibration file or fx,fy,cx,cy")
    try:
        return _together(_cameras(Path(path)), Path(path).name, chosen)
    except UsageError:
        raise
    except Exception as error:  # a damaged or foreign file may break any reader in any way
        raise UsageError(f"{Path(path).name}: {_unknown(str(error))}") from error


def _unknown(why: str) -> str:
    return f"no camera in a form that is known ({why}): {FORMS}; or give fx,fy,cx,cy"


def _cameras(path: Path) -> Iterable[Calibration]:
    data, name = path.read_bytes(), path.name
    if path.suffix in (".npz", ".npy"):
        return cameras(_from_numpy(data), name)
    if b"\0" in data[:64]:
        return cameras_in_binary(data, name)
    text = data.decode(errors="replace")
    if text.lstrip().startswith(("{", "[")):
        return cameras(json.loads(text), name)
    if text.lstrip().startswith("<"):
        return cameras(_from_xml(ElementTree.fromstring(text)), name)
    if COLMAP_LINE.search(text):
        return cameras_in_text(text, name)
    if KITTI_LINE.search(text):
        return cameras_in_kitti(text, name)
    if "PPX:" in text:
        return cameras_of_realsense(text, name)
    if (camera := camera_of_dso(text, name)) is not None:
        return [camera]
    if re.fullmatch(r"[\s\d.,;eE+\-\[\]]+", text):
        return _from_numbers(text, name)
    return cameras(_nested(read_yaml(text)), name)


def _together(found: Iterable[Calibration], name: str, chosen: str) -> Calibration:
    """One camera with the others that it may turn out to be."""
    every = [_checked(camera) for camera in found]
    if chosen:
        every = [camera for camera in every if camera.name == f"{name}#{chosen}"]
    if not every:
        raise UsageError(f"{name}: {_unknown(f'no camera {chosen}' if chosen else 'no camera matrix')}")
    different = [camera for i, camera in enumerate(every) if not any(_same(camera, c) for c in every[:i])]
    return replace(different[0], others=tuple(different[1:]))


def _same(a: Calibration, b: Calibration) -> bool:
    return (
        a.size == b.size and np.array_equal(a.matrix, b.matrix) and np.array_equal(a.distortion, b.distortion)  # type: ignore[arg-type]
    )


def _from_numbers(text: str, name: str) -> list[Calibration]:
    words = re.sub(r"[\[\],;]", " ", text).split()
    if len(words) not in (4, 9):
        raise UsageError(f"{name}: a camera is 4 numbers (fx fy cx cy) or 9 (3x3), not {len(words)}")
    try:
        return list(cameras({"K": [float(word) for word in words]}, name))
    except ValueError:
        raise UsageError(f"{name}: {_unknown('not numbers')}") from None


def _from_numpy(data: bytes) -> dict[str, Any]:
    loaded = np.load(io.BytesIO(data))
    return {"K": loaded} if isinstance(loaded, np.ndarray) else dict(loaded)


def _from_xml(element: ElementTree.Element) -> Any:
    """Elements as maps, their texts as numbers or words."""
    if len(element):
        return {child.tag: _from_xml(child) for child in element}
    words = (element.text or "").split()
    try:
        values = [float(word) for word in words]
    except ValueError:
        return " ".join(words)
    return values[0] if len(values) == 1 else values


def _nested(document: Any) -> Any:
    """Keys such as "Camera.fx" as maps in a map."""
    if not isinstance(document, dict):
        return document
    nested: dict[str, Any] = {}
    for key, value in document.items():
        outer, dot, inner = key.partition(".")
        if dot and isinstance(nested.setdefault(outer, {}), dict):
            nested[outer][inner] = value
        else:
            nested[key] = value
    return nested


def _checked(camera: Calibration) -> Calibration:
    matrix = np.asarray(camera.matrix, np.float64)
    is_camera = matrix.shape == (3, 3) and np.isfinite(matrix).all() and min(matrix[0, 0], matrix[1, 1]) > 0
    if not is_camera or not np.allclose(matrix[2], (0, 0, 1)):
        raise UsageError(f"{camera.name}: not a camera matrix (fx 0 cx, 0 fy cy, 0 0 1)")
    if camera.distortion is not None and not np.isfinite(camera.distortion).all():
        raise UsageError(f"{camera.name}: the distortion is not made of numbers")
    size = camera.size if camera.size is not None and min(camera.size) > 0 else None
    return replace(camera, matrix=matrix, size=size)
