"""The epipole over the frame: a cross with its error, or an arrow at the border when it lies outside."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from streamflow.draw.colours import BLACK, GREEN, ORANGE, RED, YELLOW
from streamflow.draw.panel import Panel
from streamflow.draw.text import stroke, text_size
from streamflow.geometry.epipole import Ellipse, bearing, ellipse, pixel
from streamflow.values import Image, Matrix, Motion, Result, Status

ERROR_SIGMAS = 2
MAX_POINTS = 1000  # that are shown: more would hide the picture
TEXT_LINES = 4  # kept free of the arrow at the upper and lower border, for captions and legend


def draw_heading(panel: Panel) -> Image:
    """View `epipole`: the smoothed heading, and the points that the pair's own estimate was made from."""
    result, motion = panel.result, panel.result.smoothed
    picture = result.pair.reference.image.copy()
    if result.motion is None or motion is None:
        return panel.nothing("the camera's motion was not computed")
    if not panel.style.clean:
        draw_inliers(picture, result.motion)
        draw_trace(picture, panel.trace)
        draw_epipole(picture, motion, result.camera_matrix)
    known = motion.status in (Status.MOVING, Status.STATIC)
    panel.text.caption(_status(motion, result.camera_matrix), ORANGE if known else RED)
    if motion.rotation is not None:
        panel.text.caption(_turning(motion.rotation, result))
    return picture


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
    """Mark the points the estimate was made from: a green dot obeys it, a red cross does not; in place."""
    if motion.points is None or motion.weights is None:
        return
    width, step = stroke(picture), 1 + len(motion.points) // MAX_POINTS
    points, weights = np.round(motion.points[::step]).astype(int), motion.weights[::step]
    for (x, y), weight in zip(points.tolist(), weights, strict=True):
        if weight > 0.5:
            cv2.circle(picture, (x, y), width, GREEN, -1, cv2.LINE_AA)
        else:
            cv2.drawMarker(picture, (x, y), RED, cv2.MARKER_TILTED_CROSS, 3 * width + 2, width)


def draw_trace(picture: Image, trace: Sequence[Matrix]) -> None:
    """Draw where the epipole was during the last second, in place."""
    if len(trace) > 1:
        points = np.round(np.clip(trace, -1e4, 1e4)).astype(np.int32)
        cv2.polylines(picture, [points], False, YELLOW, stroke(picture), cv2.LINE_AA)


def _draw_ellipse(picture: Image, point: Matrix, error: Ellipse | None) -> None:
    if error is None or not error.major < picture.shape[1]:
        return
    axes = 2 * ERROR_SIGMAS * error.major, 2 * ERROR_SIGMAS * error.minor
    centre = float(point[0]), float(point[1])
    box = centre, axes, float(np.degrees(error.angle))
    cv2.ellipse(picture, box, YELLOW, stroke(picture), cv2.LINE_AA)


def _draw_marker(picture: Image, point: Matrix, ahead: bool) -> None:
    centre = round(float(point[0])), round(float(point[1]))
    size, width = text_size(picture), stroke(picture)
    for colour, thickness in ((BLACK, 4 * width), (YELLOW, 2 * width)):
        if ahead:
            cv2.drawMarker(picture, centre, colour, cv2.MARKER_CROSS, size, thickness, cv2.LINE_AA)
        else:
            cv2.circle(picture, centre, size // 2, colour, thickness, cv2.LINE_AA)


def _draw_border_arrow(picture: Image, direction: Matrix) -> None:
    height, width = picture.shape[:2]
    centre = np.array([(width - 1) / 2, (height - 1) / 2])
    size, line = text_size(picture), stroke(picture)
    room = np.maximum(centre - [size, min(TEXT_LINES * size, height / 4)], 1)
    tip = centre + np.min(room / np.maximum(abs(direction), 1e-9)) * direction
    tail = tip - direction * 2 * size
    start, end = ((round(float(x)), round(float(y))) for x, y in (tail, tip))
    for colour, thickness in ((BLACK, 5 * line), (YELLOW, 3 * line)):
        cv2.arrowedLine(picture, start, end, colour, thickness, cv2.LINE_AA, tipLength=0.35)


def _status(motion: Motion, camera_matrix: Matrix) -> str:
    words = str(motion.status).replace("_", " ")
    if motion.translation is None:
        return words
    return f"{words} {_where(motion.translation.epipole, camera_matrix)}, {motion.inlier_share:.0%} inliers"


def _where(epipole: Matrix, camera_matrix: Matrix) -> str:
    point = pixel(epipole, camera_matrix)
    if point is None:
        return f"sideways, {np.degrees(bearing(epipole, camera_matrix)):.0f}°"
    return f"{'towards' if epipole[2] > 0 else 'away from'} ({point[0]:.0f}, {point[1]:.0f})"


def _turning(rotation: Matrix, result: Result) -> str:
    degrees = float(np.degrees(np.linalg.norm(cv2.Rodrigues(rotation)[0])))
    seconds = result.pair.interval
    return (
        f"turning {degrees:.2f}°/frame" if seconds is None else f"turning {degrees / float(seconds):.1f}°/s"
    )
