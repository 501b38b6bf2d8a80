"""DSO's camera.txt: a lens model, the size of the pictures, what to make of them, the size of that."""

from __future__ import annotations

import re

import numpy as np

from sources.calibration.lens import brown, fisheye, from_field_of_view
from streamflow.errors import UsageError
from streamflow.geometry.camera import Calibration

SIZE = re.compile(r"\s*(\d+)\s+(\d+)\s*")


def camera_of_dso(text: str, name: str) -> Calibration | None:
    """The camera, before DSO's own rectification; None: the text is not of this form."""
    lines = text.strip().splitlines()
    size = SIZE.fullmatch(lines[1]) if len(lines) >= 3 else None
    word, *numbers = lines[0].split() if lines else [""]
    model, words = (word, numbers) if word.isalpha() else ("", [word, *numbers])
    if size is None or not all(re.fullmatch(r"[-+.\deE]+", word) for word in words) or len(words) < 4:
        return None
    width, height = int(size[1]), int(size[2])
    values = [float(word) for word in words]
    fx, fy, cx, cy, *lens = values
    if cx < 1 and cy < 1:  # relative to the size, from the corner of the first pixel
        fx, fy, cx, cy = fx * width, fy * height, cx * width - 0.5, cy * height - 0.5
    matrix = np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])
    if model.lower() in ("", "fov", "atan") and len(lens) == 1:
        return from_field_of_view(matrix, lens[0], (width, height), name)
    if model.lower() in ("equidistant", "kannalabrandt"):
        return Calibration(matrix, (width, height), fisheye(lens), fisheye=True, name=name)
    if model.lower() not in ("", "pinhole", "radtan"):
        raise UsageError(f"{name}: the lens model {model} is not known here; give it as RadTan")
    return Calibration(matrix, (width, height), brown(lens or 0.0), name=name)
