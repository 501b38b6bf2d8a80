"""One JSON object a pair, a line each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import cv2
import numpy as np

from sinks.writing.lines import Lines
from sinks.writing.records import lens_record, pair_record
from streamflow.geometry.epipole import bearing, ellipse, off_axis, pixel
from streamflow.geometry.focal_error import motion_covariance

if TYPE_CHECKING:
    from sinks import Run
    from streamflow.stages import Stage
    from streamflow.values import Looming, Matrix, Motion, MovingObject, Plane, Result


def record(result: Result) -> dict[str, Any]:
    """The numbers of one pair; what is not known is None."""
    return {
        **pair_record(result),
        **(motion_record(result.motion, result) if result.motion else {"status": None}),
        "camera": lens_record(result),
        "epipole_smoothed": result.smoothed and epipole_record(result.smoothed, result.camera_matrix),
        "pose": result.pose,
        "looming": None if result.looming is None else [looming_record(part) for part in result.looming],
        "planes": None if result.planes is None else [plane_record(plane) for plane in result.planes],
        "objects": None if result.objects is None else [object_record(part) for part in result.objects],
        "timing_ms": result.timing,
    }


def motion_record(motion: Motion, result: Result) -> dict[str, Any]:
    """Return the camera's motion, units in the names; X_target = R X_reference + T, in reference axes."""
    rotation = None if motion.rotation is None else np.degrees(cv2.Rodrigues(motion.rotation)[0]).ravel()
    seconds = result.pair.interval
    rate = None if rotation is None or seconds is None else float(np.linalg.norm(rotation)) / float(seconds)
    translation = motion.translation
    covariance = motion_covariance(motion, result.focal_sigma)
    deviations = None if covariance is None else np.degrees(np.sqrt(np.diag(covariance)))
    return {
        "status": motion.status,
        "epipole": epipole_record(motion, result.camera_matrix),
        "inlier_share": motion.inlier_share,
        "rotation_deg": rotation,
        "rotation_deg_per_s": rate,
        "translation": None if translation is None else translation.direction,
        "translation_sigma_deg": None if deviations is None else deviations[:2],
        "rotation_sigma_deg": None if deviations is None else deviations[2:],
        "noise": motion.noise,
        "alternatives": [epipole_record(other, result.camera_matrix) for other in motion.alternatives],
    }


def epipole_record(motion: Motion, camera_matrix: Matrix) -> dict[str, Any] | None:
    """Pixels with the semi-axes of the 1-sigma ellipse; at infinity the direction, clockwise from +x."""
    if motion.translation is None:
        return None
    epipole = motion.translation.epipole
    point = pixel(epipole, camera_matrix)
    if point is None:
        return {
            "direction_deg": float(np.degrees(bearing(epipole, camera_matrix))),
            "off_axis_deg": float(np.degrees(off_axis(epipole, camera_matrix))),
        }
    error = ellipse(motion, camera_matrix)
    return {
        "x": point[0],
        "y": point[1],
        "ahead": bool(epipole[2] > 0),
        "sigma_px": None if error is None else (error.major, error.minor),
        "sigma_angle_deg": None if error is None else float(np.degrees(error.angle)),
    }


def looming_record(looming: Looming) -> dict[str, Any]:
    """Return one part of the scene that the camera will run into, without its mask."""
    return {"time_s": looming.time, "box_px": looming.box, "share_of_image": looming.share}


def object_record(part: MovingObject) -> dict[str, Any]:
    """Return one object that moves by itself, without its mask."""
    return {
        "label": part.label,
        "box_px": part.box,
        "share_of_image": part.area,
        "velocity_px_per_s": part.velocity,
        "confidence": part.confidence,
        "since_s": part.since,
        "time_to_contact_s": part.time_to_contact,
    }


def plane_record(plane: Plane) -> dict[str, Any]:
    """Return one plane, without its mask."""
    return {
        "label": plane.label,
        "name": plane.name,
        "a": plane.parameters,
        "residual": plane.residual,
        "normal": plane.normal,
        "twin_normal": plane.alternative_normal,
        "distance": plane.distance,
        "pixels": int(np.count_nonzero(plane.mask)),
    }


class JsonlSink:
    """Writes a line as soon as its pair is done: to a file, to a pipe or device, or to stdout (`-`)."""

    needs: ClassVar[frozenset[Stage]] = frozenset()

    def __init__(self, target: str, run: Run) -> None:
        self._lines = Lines(target, run)

    def write(self, result: Result) -> None:
        """Write the line of one pair."""
        self._lines.add(record(result))

    def close(self) -> None:
        """Give the file its name."""
        self._lines.close()
