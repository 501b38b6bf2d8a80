"""COLMAP's cameras.txt and cameras.bin; its pixel centres are at one half."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Sequence

import numpy as np

from sources.calibration.lens import brown, fisheye, from_field_of_view
from streamflow.errors import UsageError
from streamflow.geometry.camera import Calibration

# In the order of their numbers in cameras.bin, with how many parameters they have.
MODELS = {
    "SIMPLE_PINHOLE": 3, "PINHOLE": 4, "SIMPLE_RADIAL": 4, "RADIAL": 5, "OPENCV": 8, "OPENCV_FISHEYE": 8,
    "FULL_OPENCV": 12, "FOV": 5, "SIMPLE_RADIAL_FISHEYE": 4, "RADIAL_FISHEYE": 5, "THIN_PRISM_FISHEYE": 12,
}  # fmt: skip
ONE_FOCAL_LENGTH = ("SIMPLE_PINHOLE", "SIMPLE_RADIAL", "RADIAL", "SIMPLE_RADIAL_FISHEYE", "RADIAL_FISHEYE")

LINE = re.compile(r"^\s*(\d+)\s+([A-Z][A-Z_]{2,})\s+(\d+)\s+(\d+)\s+(.*)$", re.MULTILINE)


def cameras_in_text(text: str, name: str) -> Iterator[Calibration]:
    """Cameras of cameras.txt: ID MODEL WIDTH HEIGHT PARAMS a line."""
    for number, model, width, height, words in LINE.findall(text):
        parameters = [float(word) for word in words.split()]
        yield _camera(model, (int(width), int(height)), parameters, f"{name}#{number}")


def cameras_in_binary(data: bytes, name: str) -> Iterator[Calibration]:
    """Cameras of cameras.bin."""
    (count,), position = struct.unpack_from("<Q", data), 8
    for _ in range(count):
        number, model, width, height = struct.unpack_from("<iiQQ", data, position)
        if not 0 <= model < len(MODELS):
            raise UsageError(f"{name}: camera model {model} of COLMAP is not known here; export it as OPENCV")
        length = list(MODELS.values())[model]
        parameters = struct.unpack_from(f"<{length}d", data, position + 24)
        position += 24 + 8 * length
        yield _camera(list(MODELS)[model], (width, height), parameters, f"{name}#{number}")


def _camera(model: str, size: tuple[int, int], parameters: Sequence[float], name: str) -> Calibration:
    if model not in MODELS or model == "THIN_PRISM_FISHEYE":
        raise UsageError(f"{name}: camera model {model} is not known here; export it as OPENCV")
    if len(parameters) != MODELS[model]:
        raise ValueError(f"{model} has {MODELS[model]} parameters, not {len(parameters)}")
    p = [parameters[0], *parameters] if model in ONE_FOCAL_LENGTH else list(parameters)
    matrix = np.array([[p[0], 0, p[2] - 0.5], [0, p[1], p[3] - 0.5], [0, 0, 1]])
    if model == "FOV":
        return from_field_of_view(matrix, p[4], size, name)
    if model.endswith("FISHEYE"):
        return Calibration(matrix, size, fisheye(p[4:]), fisheye=True, name=name)
    return Calibration(matrix, size, brown(p[4:]), name=name)
