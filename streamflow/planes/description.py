"""What is told of a plane that was found: mask, normal, distance, eight parameters, residual, name."""

import numpy as np
from numpy.typing import NDArray

from streamflow.planes.eight_parameters import design_matrix
from streamflow.planes.homography import homography_flow
from streamflow.planes.segmentation import SPACING, Labels
from streamflow.values import Plane

STEEPEST = np.cos(np.deg2rad(25))  # cosine of the angle to the vertical from which a plane is no ground
SAMPLED = 500  # points of a plane from which its parameters and residual are taken
DOWN = np.array([0.0, 1.0, 0.0])  # of a camera held upright


def describe_planes(
    planes: NDArray[np.float64],
    labels: Labels,
    names: list[int],
    vectors: NDArray[np.float32],
    K: NDArray[np.float64],
    R: NDArray[np.float64],
    T: NDArray[np.float64],
    *,
    down: NDArray[np.float64] = DOWN,
) -> tuple[Plane, ...]:
    """Describe the planes of one pair.

    Parameters
    ----------
    planes, labels : from `find_planes`, in a unit of which T is the step.
    names : stable number of each plane, from `PlaneTracker`.
    vectors : (H, W, 2), flow, pixels.
    K, R, T : camera matrix and motion of the pair.
    down : (3,), unit, the vertical in camera axes.
    """
    ground = _ground(planes, labels, down)
    return tuple(
        _describe(n, labels == i + 1, label, "ground" if i == ground else "", vectors, K, R + np.outer(T, n))
        for i, (n, label) in enumerate(zip(planes, names, strict=True))
    )


def _describe(
    n: NDArray[np.float64],
    region: NDArray[np.bool_],
    label: int,
    name: str,
    vectors: NDArray[np.float32],
    K: NDArray[np.float64],
    H: NDArray[np.float64],
) -> Plane:
    row, column = np.nonzero(region)
    some = slice(None, None, -(-len(row) // SAMPLED))
    row, column = row[some], column[some]
    points = np.stack([column, row], axis=1).astype(float) * SPACING
    exact = homography_flow(H, points, K)
    residual = exact - vectors[row * SPACING, column * SPACING]
    parameters, *_ = np.linalg.lstsq(design_matrix(points, K).reshape(-1, 8), exact.ravel(), rcond=None)
    height, width = vectors.shape[:2]
    mask = region.repeat(SPACING, axis=0).repeat(SPACING, axis=1)[:height, :width]
    distance = 1 / float(np.linalg.norm(n))
    rms = 1.4826 * float(np.median(np.abs(residual)))  # of the Gaussian with this median
    return Plane(label, np.asarray(parameters, float), mask, rms, -n * distance, distance, name)


def _ground(planes: NDArray[np.float64], labels: Labels, down: NDArray[np.float64]) -> int | None:
    """The nearly level plane below the camera that has most of the lower half of the image."""
    steep = planes @ down / np.linalg.norm(planes, axis=1)
    level = np.flatnonzero(steep > STEEPEST)
    lower = labels[len(labels) // 2 :]
    return int(max(level, key=lambda i: np.count_nonzero(lower == i + 1))) if len(level) else None
