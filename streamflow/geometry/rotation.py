"""Directions on the unit sphere and rotations near the identity."""

import cv2
import numpy as np

from streamflow.values import Matrix

GOLDEN_ANGLE = np.pi * (3.0 - np.sqrt(5.0))


def unit(vector: Matrix) -> Matrix:
    """The vector(s), shape (..., 3), scaled to length one."""
    return np.asarray(vector / np.linalg.norm(vector, axis=-1, keepdims=True))


def tangent_basis(t: Matrix) -> Matrix:
    """Orthonormal basis (3, 2) of the plane perpendicular to a unit vector (3,).

    Duff et al. 2017, Building an orthonormal basis, revisited.
    """
    sign = 1.0 if t[2] >= 0.0 else -1.0
    a = -1.0 / (sign + t[2])
    b = t[0] * t[1] * a
    basis = np.empty((3, 2))
    basis[0, 0], basis[0, 1] = 1.0 + sign * t[0] * t[0] * a, b
    basis[1, 0], basis[1, 1] = sign * b, sign + t[1] * t[1] * a
    basis[2, 0], basis[2, 1] = -sign * t[0], -t[1]
    return basis


def rotation_exp(w: Matrix) -> Matrix:
    """Rotation matrix (3, 3) of a rotation vector (3,) in radians."""
    return np.asarray(cv2.Rodrigues(np.asarray(w, float))[0], np.float64)


def rotation_log(R: Matrix) -> Matrix:
    """Rotation vector (3,) in radians of a rotation matrix (3, 3)."""
    from scipy.spatial.transform import Rotation

    return np.asarray(Rotation.from_matrix(R).as_rotvec())


def hemisphere(count: int) -> Matrix:
    """`count` evenly spread unit vectors (count, 3) with z > 0: a Fibonacci lattice."""
    index = np.arange(count)
    return _lattice((index + 0.5) / count)


def cap(centre: Matrix, radius: float, count: int) -> Matrix:
    """`count` evenly spread unit vectors (count, 3) within `radius` radians of `centre`, the first."""
    local = _lattice(np.linspace(1.0, np.cos(radius), count))
    return np.asarray(local @ np.column_stack([tangent_basis(centre), centre]).T)


def _lattice(z: Matrix) -> Matrix:
    radius, angle = np.sqrt(1.0 - z * z), GOLDEN_ANGLE * np.arange(z.size)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), z], axis=1)


def angle_between(first: Matrix, second: Matrix) -> Matrix:
    """Angle in radians between unit vectors (..., 3), exact for small angles too."""
    return np.asarray(
        2.0 * np.arctan2(np.linalg.norm(first - second, axis=-1), np.linalg.norm(first + second, axis=-1))
    )


def axis_angle_between(first: Matrix, second: Matrix) -> Matrix:
    """Angle in radians, at most pi/2, between the lines along unit vectors (..., 3), whatever their signs."""
    angle = angle_between(first, second)
    return np.asarray(np.minimum(angle, np.pi - angle))
