"""Everything that was found in a pair, as numpy arrays."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from sinks.writing.folder import Folder

if TYPE_CHECKING:
    from sinks import Run
    from streamflow.stages import Stage
    from streamflow.values import Depth, Flow, Motion, Plane, Result

FACTS = {
    "quantity": "arrays by name: flow, sigma, smin, rotation, translation, epipole, inverse_depth, ...",
    "unit": "pixels; inverse depth in 1/depth_unit; time in seconds",
    "invalid": "NaN; what was not computed is absent",
}


def arrays(result: Result) -> dict[str, Any]:
    """Name to array; a stage that did not run is absent, what it could not tell is NaN."""
    pair = result.pair
    found = {
        "index": pair.newest.index,
        "reference": pair.reference.index,
        "target": pair.target.index,
        "time": _number(pair.newest.time),
        "interval": _number(pair.interval),
        "damaged": pair.damaged,
        "K": result.camera_matrix,
        "camera_assumed": result.camera_assumed,
    }
    if result.flow is not None:
        found |= _flow(result.flow)
    if result.motion is not None:
        found |= _motion(result.motion)
    if result.depth is not None:
        found |= _depth(result.depth)
    if result.planes is not None:
        found |= _planes(result.planes, pair.reference.image.shape[:2])
    return found


def _number(value: Any) -> float:
    return float("nan") if value is None else float(value)


def _or_nan(values: Any, *shape: int) -> Any:
    return np.full(shape, np.nan) if values is None else values


def _flow(flow: Flow) -> dict[str, Any]:
    return {"flow": flow.vectors, "sigma": flow.sigma, "smin": flow.smin}


def _motion(motion: Motion) -> dict[str, Any]:
    translation = motion.translation
    return {
        "status": str(motion.status),
        "rotation": _or_nan(motion.rotation, 3, 3),
        "translation": _or_nan(translation and translation.direction, 3),
        "epipole": _or_nan(translation and translation.epipole, 3),
        "motion_covariance": _or_nan(translation and translation.covariance, 5, 5),
        "inlier_share": motion.inlier_share,
        "noise": motion.noise,
    }


def _depth(depth: Depth) -> dict[str, Any]:
    found = {
        "inverse_depth": depth.inverse,
        "variance": depth.variance,
        "unknown": depth.unknown,
        "depth_unit": depth.unit,
    }
    if depth.time_to_contact is not None:
        found |= {"contact": depth.time_to_contact, "contact_unit": depth.contact_unit}
    return found


def _planes(planes: tuple[Plane, ...], shape: tuple[int, ...]) -> dict[str, Any]:
    """`plane_map` holds the position of a pixel's plane in the other arrays, -1 for none."""
    positions = np.full(shape, -1, np.int16)
    for position, plane in enumerate(planes):
        positions[plane.mask] = position
    return {
        "plane_map": positions,
        "plane_label": np.array([plane.label for plane in planes], np.int64),
        "plane_name": np.array([plane.name for plane in planes], np.str_),
        "plane_parameters": np.array([plane.parameters for plane in planes]).reshape(-1, 8),
        "plane_normal": np.array([_or_nan(plane.normal, 3) for plane in planes]).reshape(-1, 3),
        "plane_distance": np.array([_number(plane.distance) for plane in planes]),
        "plane_residual": np.array([plane.residual for plane in planes], np.float64),
    }


def encode(found: Mapping[str, Any]) -> memoryview:
    """Uncompressed: ten times faster than `savez_compressed`, and a third larger."""
    buffer = BytesIO()
    np.savez(buffer, **found)
    return buffer.getbuffer()


class NpzSink:
    """Writes `DIR/frame_000012.npz`, one file a pair, to be opened with `numpy.load`."""

    needs: ClassVar[frozenset[Stage]] = frozenset()

    def __init__(self, target: str, run: Run) -> None:
        self._folder = Folder(target, run, "npz", ".npz")

    def write(self, result: Result) -> None:
        """Write the arrays of one pair."""
        self._folder.add(result, encode(arrays(result)), FACTS)

    def close(self) -> None:
        """Close the manifest."""
        self._folder.close()
