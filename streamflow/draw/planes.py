"""Planar parts as tinted regions with their normals."""

from __future__ import annotations

import cv2
import numpy as np

from streamflow.draw.colours import LABELS, WHITE
from streamflow.draw.panel import Panel
from streamflow.draw.text import Pixel, stroke
from streamflow.values import Image, Matrix, Plane

TINT = 0.45


def draw_planes(panel: Panel) -> Image:
    """View `planes`."""
    result = panel.result
    if not result.planes:
        why = "the planes were not computed" if result.planes is None else "no plane found"
        return panel.nothing(why)
    picture = result.pair.reference.image.copy()
    for plane in result.planes:
        stick = draw_plane(picture, plane, result.camera_matrix)
        if stick is not None:
            name = plane.name or f"plane {plane.label}"
            panel.text.keep_free(*stick)
            panel.text.label(f"{name} {plane.residual:.2f} px", stick[0])
    return picture


def draw_plane(picture: Image, plane: Plane, camera_matrix: Matrix) -> tuple[Pixel, Pixel] | None:
    """Tint the plane's pixels and draw its outline and normal, in place; return the normal's two ends."""
    mask = plane.mask.view(np.uint8)
    moments = cv2.moments(mask, binaryImage=True)
    if not moments["m00"]:
        return None
    colour = LABELS[plane.label % len(LABELS)]
    picture[plane.mask] = ((1 - TINT) * picture[plane.mask] + TINT * np.array(colour)).astype(np.uint8)
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    cv2.drawContours(picture, outlines, -1, colour, stroke(picture), cv2.LINE_AA)
    centre = np.array([moments["m10"], moments["m01"]]) / moments["m00"]
    start = _nearest(centre)
    if plane.normal is None:
        return start, start
    end = _tip(centre, plane.normal, camera_matrix, 0.1 * picture.shape[1])
    cv2.arrowedLine(picture, start, end, WHITE, 2 * stroke(picture), cv2.LINE_AA, tipLength=0.25)
    return start, end


def _tip(centre: Matrix, normal: Matrix, camera_matrix: Matrix, length: float) -> Pixel:
    """Where a stick ends that stands on the plane, `length` pixels long if it lay across, in perspective."""
    ray = np.linalg.inv(camera_matrix) @ np.append(centre, 1)
    stick = min(length / camera_matrix[0, 0], 0.5) * normal  # never behind the camera
    tip = camera_matrix @ (ray + stick)
    return _nearest(tip[:2] / tip[2])


def _nearest(point: Matrix) -> Pixel:
    return round(float(point[0])), round(float(point[1]))
