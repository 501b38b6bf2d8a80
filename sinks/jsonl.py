"""One JSON object a pair, a line each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import cv2
import numpy as np

from sinks.lines import Lines
from sinks.records import pair_record

if TYPE_CHECKING:
    from sinks import Run
    from streamflow.stages import Stage
    from streamflow.values import Matrix, Motion, Plane, Result

FAR = 1e6  # pixels; an epipole farther out is a direction


def record(result: Result) -> dict[str, Any]:
    """The numbers of one pair; what is not known is None."""
    return {
        **pair_record(result.pair),
        **(motion_record(result.motion) if result.motion else {"status": None}),
        "planes": None if result.planes is None else [plane_record(plane) for plane in result.planes],
        "timing_ms": result.timing,
    }


def motion_record(motion: Motion) -> dict[str, Any]:
    """Return the camera's motion; the rotation as a vector in degrees."""
    return {
        "status": motion.status,
        "epipole": epipole_record(motion.epipole),
        "inlier_share": motion.inlier_share,
        "rotation_deg": None
        if motion.rotation is None
        else np.degrees(cv2.Rodrigues(motion.rotation)[0]).ravel(),
        "translation": motion.translation,
        "noise": motion.noise,
    }


def epipole_record(epipole: Matrix | None) -> dict[str, Any] | None:
    """Pixels, and whether the camera moves towards it; at infinity the direction, clockwise from +x."""
    if epipole is None:
        return None
    x, y, w = (float(value) for value in epipole)
    if abs(w) * FAR <= np.hypot(x, y):
        return {"direction_deg": float(np.degrees(np.arctan2(y, x)))}
    return {"x": x / w, "y": y / w, "ahead": w > 0}


def plane_record(plane: Plane) -> dict[str, Any]:
    """Return one plane, without its mask."""
    return {
        "label": plane.label,
        "name": plane.name,
        "a": plane.parameters,
        "residual": plane.residual,
        "normal": plane.normal,
        "distance": plane.distance,
        "pixels": int(np.count_nonzero(plane.mask)),
    }


class JsonlSink:
    """Writes a line as soon as its pair is done: to a file, to a pipe or device, or to stdout (`-`)."""

    needs: ClassVar[frozenset[Stage]] = frozenset()

    def __init__(self, target: str, run: Run) -> None:
        self._lines = Lines(target, run.overwrite)

    def write(self, result: Result) -> None:
        """Write the line of one pair."""
        self._lines.add(record(result))

    def close(self) -> None:
        """Give the file its name."""
        self._lines.close()
