"""The pinhole camera: its matrix from a field of view, a few numbers or a calibration file."""

from __future__ import annotations

import numpy as np

from streamflow.values import Matrix


def matrix_from_fov(degrees: float, size: tuple[int, int]) -> Matrix:
    """(3, 3) camera matrix, pixels, from the horizontal field of view, principal point at the centre."""
    width, height = size
    focal = width / 2 / np.tan(np.radians(degrees) / 2)
    return np.array([[focal, 0, (width - 1) / 2], [0, focal, (height - 1) / 2], [0, 0, 1]])
