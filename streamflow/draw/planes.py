"""Planar parts as tinted regions with their normals."""

from __future__ import annotations

import cv2
import numpy as np

from streamflow.draw.colours import LABELS, WHITE
from streamflow.draw.panel import Panel
from streamflow.draw.text import stroke
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
        centre = draw_plane(picture, plane, result.camera_matrix)
        if centre is not None:
            name = plane.name or f"plane {plane.label}"
            panel.text.label(f"{name} {plane.residual:.2f} px", centre)
    return picture


def draw_plane(picture: Image, plane: Plane, camera_matrix: Matrix) -> tuple[int, int] | None:
    """Tint the plane's pixels and draw its outline and normal, in place; return its centre, if it has one."""
    mask = plane.mask.view(np.uint8)
    moments = cv2.moments(mask, binaryImage=True)
    if not moments["m00"]:
        return None
    colour = LABELS[plane.label % len(LABELS)]
    picture[plane.mask] = ((1 - TINT) * picture[plane.mask] + TINT * np.array(colour)).astype(np.uint8)
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    cv2.drawContours(picture, outlines, -1, colour, stroke(picture), cv2.LINE_AA)
    centre = np.array([moments["m10"], moments["m01"]]) / moments["m00"]
    if plane.normal is not None:
        _draw_normal(picture, centre, plane.normal, camera_matrix)
    return round(float(centre[0])), round(float(centre[1]))


def _draw_normal(picture: Image, centre: Matrix, normal: Matrix, camera_matrix: Matrix) -> None:
    """Draw the normal as a stick of a tenth of the image's width that stands on the plane, in perspective."""
    ray = np.linalg.inv(camera_matrix) @ np.append(centre, 1)
    length = 0.1 * picture.shape[1] / camera_matrix[0, 0]
    tip = camera_matrix @ (ray + length * normal)
    if tip[2] <= 0:
        return
    start, end = (tuple(int(c) for c in np.round(p)) for p in (centre, tip[:2] / tip[2]))
    cv2.arrowedLine(picture, start, end, WHITE, 2 * stroke(picture), cv2.LINE_AA, tipLength=0.25)
