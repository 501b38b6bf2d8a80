"""The motions that explain the view of one plane."""

from typing import NamedTuple

import cv2
import numpy as np

from streamflow.values import Matrix


class PlanarMotion(NamedTuple):
    """One reading of a homography in calibrated coordinates: H ~ R + T n'."""

    R: Matrix  # (3, 3)
    T: Matrix  # (3,) unit; zero when the camera only turned
    n: Matrix  # (3,) the plane, n.a = inverse depth in 1/steps: away from the camera, 1/distance long


def planar_motions(H: Matrix, a: Matrix) -> list[PlanarMotion]:
    """The motions that explain a homography with the plane in front of the camera: usually two twins.

    Malis & Vargas 2007, Deeper understanding of the homography decomposition for vision-based control.

    Parameters
    ----------
    H : (3, 3), calibrated coordinates, of any scale
    a : (2, N) points on the plane in the reference, calibrated
    """
    _, rotations, steps, normals = cv2.decomposeHomographyMat(H * np.sign(np.linalg.det(H)), np.eye(3))
    found = []
    for R, step, normal in zip(rotations, np.asarray(steps, float), np.asarray(normals, float), strict=True):
        length, n = float(np.linalg.norm(step)), normal.ravel()
        if np.count_nonzero(n[:2] @ a + n[2] > 0) > a.shape[1] / 2 or length == 0:
            found.append(PlanarMotion(np.asarray(R, float), step.ravel() / (length or 1), n * length))
    return found
