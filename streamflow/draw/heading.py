"""The epipole over the frame: a cross with its error, or an arrow at the border when it lies outside."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from streamflow.draw.colours import BLACK, GREEN, RED, YELLOW
from streamflow.values import Image, Matrix, Motion

PARALLEL = 1e-4  # |z| of a unit epipole below which it is a direction, not a point
ERROR_SIGMAS = 2


def pixel(epipole: Matrix, size: tuple[int, int]) -> tuple[float, float] | None:
    """(x, y) of a homogeneous epipole; None further than 100 image widths away: a direction."""
    if abs(epipole[2]) * 100 * max(size) <= np.hypot(epipole[0], epipole[1]):
        return None
    return float(epipole[0] / epipole[2]), float(epipole[1] / epipole[2])


def draw_epipole(picture: Image, motion: Motion, ellipse: Matrix | None = None) -> None:
    """Draw where the camera heads to (cross) or comes from (ring), in place.

    Parameters
    ----------
    motion : Motion
        Without an epipole nothing is drawn.
    ellipse : ndarray, shape (2, 2), optional
        Covariance of the epipole, pixels squared; drawn at two sigma.
    """
    if motion.epipole is None:
        return
    height, width = picture.shape[:2]
    point = pixel(motion.epipole, (width, height))
    if point is not None and 0 <= point[0] < width and 0 <= point[1] < height:
        _draw_inside(picture, point, motion.epipole[2] > 0, ellipse)
    else:
        _draw_border_arrow(picture, _towards(motion.epipole, (width, height)))


def draw_inliers(picture: Image, motion: Motion) -> None:
    """Dot the points the estimate was made from: green obey it, red do not; in place."""
    if motion.points is None or motion.weights is None:
        return
    for (x, y), weight in zip(np.round(motion.points).astype(int), motion.weights, strict=True):
        cv2.circle(picture, (int(x), int(y)), 1, GREEN if weight > 0.5 else RED, -1, cv2.LINE_AA)


def draw_trace(picture: Image, trace: Sequence[tuple[float, float]]) -> None:
    """Draw where the epipole was during the last second, in place."""
    if len(trace) > 1:
        points = np.round(np.clip(trace, -1e4, 1e4)).astype(np.int32)
        cv2.polylines(picture, [points], isClosed=False, color=YELLOW, thickness=1, lineType=cv2.LINE_AA)


def _draw_inside(picture: Image, point: tuple[float, float], ahead: bool, ellipse: Matrix | None) -> None:
    centre = round(point[0]), round(point[1])
    size = max(8, picture.shape[1] // 40)
    if ellipse is not None and np.isfinite(ellipse).all():
        lengths, axes = np.linalg.eigh(ellipse)
        angle = float(np.degrees(np.arctan2(axes[1, 1], axes[0, 1])))
        half = np.minimum(ERROR_SIGMAS * np.sqrt(np.maximum(lengths[::-1], 0)), 1e4)
        cv2.ellipse(picture, (point, (2 * float(half[0]), 2 * float(half[1])), angle), YELLOW, 1, cv2.LINE_AA)
    for colour, thickness in ((BLACK, 4), (YELLOW, 2)):
        if ahead:
            cv2.drawMarker(picture, centre, colour, cv2.MARKER_CROSS, size, thickness, cv2.LINE_AA)
        else:
            cv2.circle(picture, centre, size // 2, colour, thickness, cv2.LINE_AA)


def _towards(epipole: Matrix, size: tuple[int, int]) -> Matrix:
    """(2,) unit direction in the image from its centre to where the camera is heading."""
    centre = (np.array(size) - 1) / 2
    # Also right when the epipole is behind (z < 0): the heading is then away from its mirror point.
    direction = epipole[:2] - centre * epipole[2]
    return np.asarray(direction / max(float(np.linalg.norm(direction)), 1e-12), np.float64)


def _draw_border_arrow(picture: Image, direction: Matrix) -> None:
    height, width = picture.shape[:2]
    centre = np.array([(width - 1) / 2, (height - 1) / 2])
    margin = max(4, width // 100)
    reach = np.min((centre - margin) / np.maximum(abs(direction), 1e-9))
    tip = centre + reach * direction
    tail = tip - direction * max(16, width // 16)
    start, end = (tuple(int(c) for c in np.round(p)) for p in (tail, tip))
    for colour, thickness in ((BLACK, 5), (YELLOW, 3)):
        cv2.arrowedLine(picture, start, end, colour, thickness, cv2.LINE_AA, tipLength=0.35)
