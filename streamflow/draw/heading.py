"""The epipole over the frame: a cross with its error, or an arrow at the border when it lies outside."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from streamflow.draw.colours import BLACK, GREEN, RED, YELLOW
from streamflow.geometry.epipole import Ellipse, bearing, ellipse, pixel
from streamflow.values import Image, Matrix, Motion

ERROR_SIGMAS = 2


def draw_epipole(picture: Image, motion: Motion, camera_matrix: Matrix) -> None:
    """Draw where the camera heads to (cross) or comes from (ring) with its error, in place.

    Outside the picture, an arrow at the border points there; without an epipole nothing is drawn.
    """
    if motion.translation is None:
        return
    epipole = motion.translation.epipole
    height, width = picture.shape[:2]
    point = pixel(epipole, camera_matrix)
    if point is not None and 0 <= point[0] < width and 0 <= point[1] < height:
        _draw_ellipse(picture, point, ellipse(motion, camera_matrix))
        _draw_marker(picture, point, epipole[2] > 0)
    else:
        angle = bearing(epipole, camera_matrix)
        _draw_border_arrow(picture, np.array([np.cos(angle), np.sin(angle)]))


def draw_inliers(picture: Image, motion: Motion) -> None:
    """Dot the points the estimate was made from: green obey it, red do not; in place."""
    if motion.points is None or motion.weights is None:
        return
    for (x, y), weight in zip(np.round(motion.points).astype(int), motion.weights, strict=True):
        cv2.circle(picture, (int(x), int(y)), 1, GREEN if weight > 0.5 else RED, -1, cv2.LINE_AA)


def draw_trace(picture: Image, trace: Sequence[Matrix]) -> None:
    """Draw where the epipole was during the last second, in place."""
    if len(trace) > 1:
        points = np.round(np.clip(trace, -1e4, 1e4)).astype(np.int32)
        cv2.polylines(picture, [points], isClosed=False, color=YELLOW, thickness=1, lineType=cv2.LINE_AA)


def _draw_ellipse(picture: Image, point: Matrix, error: Ellipse | None) -> None:
    if error is None or not error.major < picture.shape[1]:
        return
    axes = 2 * ERROR_SIGMAS * error.major, 2 * ERROR_SIGMAS * error.minor
    centre = float(point[0]), float(point[1])
    cv2.ellipse(picture, (centre, axes, float(np.degrees(error.angle))), YELLOW, 1, cv2.LINE_AA)


def _draw_marker(picture: Image, point: Matrix, ahead: bool) -> None:
    centre = round(float(point[0])), round(float(point[1]))
    size = max(8, picture.shape[1] // 40)
    for colour, thickness in ((BLACK, 4), (YELLOW, 2)):
        if ahead:
            cv2.drawMarker(picture, centre, colour, cv2.MARKER_CROSS, size, thickness, cv2.LINE_AA)
        else:
            cv2.circle(picture, centre, size // 2, colour, thickness, cv2.LINE_AA)


def _draw_border_arrow(picture: Image, direction: Matrix) -> None:
    height, width = picture.shape[:2]
    centre = np.array([(width - 1) / 2, (height - 1) / 2])
    margin = max(4, width // 100)
    reach = np.min((centre - margin) / np.maximum(abs(direction), 1e-9))
    tip = centre + reach * direction
    tail = tip - direction * max(16, width // 16)
    start, end = ((round(float(x)), round(float(y))) for x, y in (tail, tip))
    for colour, thickness in ((BLACK, 5), (YELLOW, 3)):
        cv2.arrowedLine(picture, start, end, colour, thickness, cv2.LINE_AA, tipLength=0.35)
