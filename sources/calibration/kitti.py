"""KITTI: calib.txt of the odometry and object sets, calib_cam_to_cam.txt of the raw recordings."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from sources.calibration.lens import brown
from streamflow.geometry.camera import Calibration
from streamflow.values import Matrix

LINE = re.compile(r"^(P_rect_|S_rect_|K_|D_|S_|P)(\d+):\s*([-+.\deE\s]+?)$", re.MULTILINE)


def cameras_in_kitti(text: str, name: str) -> Iterator[Calibration]:
    """The rectified cameras, by the number in their folder's name, then those before rectification."""
    lines = {(kind, number): np.array(words.split(), float) for kind, number, words in LINE.findall(text)}
    for (kind, number), values in lines.items():
        if kind in ("P", "P_rect_"):
            size = _size(lines.get(("S_rect_", number)))
            yield Calibration(values.reshape(3, 4)[:, :3], size, name=f"{name}#{number}")
    for (kind, number), values in lines.items():
        if kind == "K_":
            distortion = brown(lines.get(("D_", number), 0.0))
            size = _size(lines.get(("S_", number)))
            yield Calibration(values.reshape(3, 3), size, distortion, name=f"{name}#K_{number}")


def _size(values: Matrix | None) -> tuple[int, int] | None:
    return None if values is None else (int(values[0]), int(values[1]))
