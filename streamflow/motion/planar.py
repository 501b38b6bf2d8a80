"""The two motions that explain the view of one plane."""

import cv2
import numpy as np

from streamflow.geometry.pose import Pose
from streamflow.geometry.rotation import unit
from streamflow.values import Matrix


def decompose(rays: Matrix, H: Matrix) -> list[Pose]:
    """The motions (R, T) with H ~ R + T n' and the plane n in front of the camera: two, or one if they meet.

    Malis & Vargas 2007, Deeper understanding of the homography decomposition; n is 1/distance times the
    unit normal, so n.a is the inverse depth and must be positive in view.
    """
    _, rotations, translations, normals = cv2.decomposeHomographyMat(H * np.sign(np.linalg.det(H)), np.eye(3))
    return [
        Pose(R.astype(float), unit(T.ravel().astype(float)))
        for R, T, n in zip(rotations, translations, normals, strict=True)
        if np.linalg.norm(T) > 1e-9 and np.median(n.ravel()[:2] @ rays[:2] + n[2]) > 0
    ]
