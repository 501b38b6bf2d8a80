"""What is told of a plane that was found: mask, normal, distance, eight parameters, residual, name."""

import numpy as np
from numpy.typing import NDArray

from streamflow.planes.eight_parameters import design_matrix
from streamflow.planes.homography import homography_flow
from streamflow.planes.segmentation import SPACING, Labels
from streamflow.values import Plane

STEEPEST = np.cos(np.deg2rad(25))  # cosine of the angle to the vertical from which a plane is no ground
SAMPLED = 500  # points of a plane from which its parameters and residual are taken
NORMAL = 1.4826  # standard deviation of a Gaussian over its median absolute value
DOWN = np.array([0.0, 1.0, 0.0])  # of a camera held upright


def describe_planes(
    planes: NDArray[np.float64],
    labels: Labels,
    names: list[int],
    vectors: NDArray[np.float32],
    K: NDArray[np.float64],
    R: NDArray[np.float64],
    T: NDArray[np.float64],
) -> tuple[Plane, ...]:
    """Describe the planes of one pair.

    Parameters
    ----------
    planes, labels : from `find_planes`, in a unit of which T is the step.
    names : stable number of each plane, from `PlaneTracker`.
    vectors : (H, W, 2), flow, pixels.
    K, R, T : camera matrix and motion of the pair.
    """
    ground = _ground(planes, labels)
    height, width = vectors.shape[:2]
    everywhere = labels.repeat(SPACING, axis=0).repeat(SPACING, axis=1)[:height, :width]
    described = []
    for i, (n, label) in enumerate(zip(planes, names, strict=True)):
        parameters, residual = _planar_motion(R + np.outer(T, n), labels == i + 1, vectors, K)
        distance = 1 / float(np.linalg.norm(n))
        name = "ground" if i == ground else ""
        described.append(
            Plane(label, parameters, everywhere == i + 1, residual, -n * distance, distance, name)
        )
    return tuple(described)


def _planar_motion(
    H: NDArray[np.float64], region: NDArray[np.bool_], vectors: NDArray[np.float32], K: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    """Eight parameters of the flow that the homography H makes in a region, and the residual in pixels."""
    row, column = np.nonzero(region)
    some = slice(None, None, -(-len(row) // SAMPLED))
    row, column = row[some] * SPACING, column[some] * SPACING
    points = np.stack([column, row], axis=1).astype(float)
    exact = homography_flow(H, points, K)
    parameters, *_ = np.linalg.lstsq(design_matrix(points, K).reshape(-1, 8), exact.ravel(), rcond=None)
    error = np.median(np.abs(exact - vectors[row, column]))
    return np.asarray(parameters, float), NORMAL * float(error)


def _ground(planes: NDArray[np.float64], labels: Labels) -> int | None:
    """The nearly level plane below the camera that has most of the lower half of the image."""
    steep = planes @ DOWN / np.linalg.norm(planes, axis=1)
    level = np.flatnonzero(steep > STEEPEST)
    lower = labels[len(labels) // 2 :]
    return int(max(level, key=lambda i: np.count_nonzero(lower == i + 1))) if len(level) else None
