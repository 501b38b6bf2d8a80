"""Lens models of other programs as OpenCV's: Brown's polynomial, and the fisheye polynomial in the angle."""

from __future__ import annotations

from typing import Any

import numpy as np

from streamflow.geometry.camera import Calibration
from streamflow.values import Matrix

BROWN_LENGTHS = (4, 5, 8, 12, 14)  # how many coefficients OpenCV takes
WIDEST = np.radians(85)  # half the field of view to which a lens is fitted


def brown(coefficients: Any) -> Matrix | None:
    """k1 k2 p1 p2 k3 ... as long as OpenCV wants it; None without distortion."""
    values = np.asarray(coefficients, np.float64).ravel()
    if not values.any():
        return None
    length = next(length for length in BROWN_LENGTHS if length >= np.flatnonzero(values)[-1] + 1)
    return np.resize(np.append(values, np.zeros(length)), length)


def fisheye(coefficients: Any) -> Matrix:
    """Four coefficients of the angle's polynomial."""
    values = np.asarray(coefficients, np.float64).ravel()
    if values[4:].any():
        raise ValueError("more than four fisheye coefficients")
    return np.resize(np.append(values, np.zeros(4)), 4)


def from_field_of_view(matrix: Matrix, omega: float, size: tuple[int, int] | None, name: str) -> Calibration:
    """The arctangent model of Devernay & Faugeras (2001), r = atan(2 tan(theta) tan(omega/2)) / omega.

    It is no polynomial; the fisheye polynomial that is fitted to it differs by less than a hundredth of a
    pixel in the lenses it is used for.
    """
    if not 0 <= omega < np.pi:
        raise ValueError(f"a field of view of {omega:g} radians")
    if not omega:
        return Calibration(matrix, size, name=name)
    theta = np.linspace(0.01, WIDEST, 200)
    slope = 2 * np.tan(omega / 2) / omega  # of the radius over the angle, at the centre
    radius = np.arctan(2 * np.tan(theta) * np.tan(omega / 2)) / omega / slope
    powers = theta[:, None] ** (3, 5, 7, 9)
    coefficients = np.linalg.lstsq(powers, radius - theta, rcond=None)[0]
    return Calibration(matrix @ np.diag([slope, slope, 1]), size, coefficients, fisheye=True, name=name)


def inverse_brown(coefficients: Any, matrix: Matrix) -> Matrix:
    """Coefficients k1 k2 p1 p2 k3 of the distortion that those of the undistortion, in the same order, undo.

    RealSense's "inverse Brown-Conrady" leads from seen to ideal points. The way back is Brown's model too,
    nearly, and that is linear in its coefficients: they are fitted over the picture.
    """
    given = np.zeros(5)
    given[: np.size(coefficients)] = np.ravel(coefficients)[:5]
    if not np.isfinite([*given, *matrix.ravel()]).all():
        raise ValueError("not finite")
    reach = np.array([matrix[0, 2] / matrix[0, 0], matrix[1, 2] / matrix[1, 1]])  # the principal point's
    seen = np.stack(np.meshgrid(*(np.linspace(-r, r, 21) for r in reach)), axis=-1).reshape(-1, 2)
    ideal = seen + (_brown_terms(seen) @ given)
    terms = _brown_terms(ideal).reshape(-1, 5)
    return np.asarray(np.linalg.lstsq(terms, (seen - ideal).ravel(), rcond=None)[0], np.float64)


def _brown_terms(points: Matrix) -> Matrix:
    """(N, 2, 5) displacement of points for each of k1 k2 p1 p2 k3."""
    x, y = points.T
    r2 = x * x + y * y
    return np.stack(
        [
            np.stack([x * r2, x * r2**2, 2 * x * y, r2 + 2 * x * x, x * r2**3], axis=-1),
            np.stack([y * r2, y * r2**2, r2 + 2 * y * y, 2 * x * y, y * r2**3], axis=-1),
        ],
        axis=1,
    )
