"""Everything that was found in a pair, as numpy arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from sinks.writing.folder import Folder
from streamflow.geometry.focal_error import motion_covariance
from streamflow.kernels.derivatives import pair_derivatives

if TYPE_CHECKING:
    from sinks import Run
    from streamflow.stages import Stage
    from streamflow.values import Depth, Flow, Looming, Mask, Motion, MovingObject, Plane, Result

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
        "segment": result.segment,
        "starts_segment": result.starts_segment or "",
        "damaged": pair.damaged,
        "K": result.camera_matrix,
        "camera_source": str(result.camera_source),
        "focal_sigma": result.focal_sigma,
        **dict(zip(("Ix", "Iy", "It"), pair_derivatives(pair), strict=True)),
    }
    if result.flow is not None:
        found |= _flow(result.flow)
    if result.motion is not None:
        found |= {
            **_motion(result.motion, result.focal_sigma),
            **_alternatives(result.motion, result.focal_sigma),
        }
    if result.smoothed is not None:
        found |= {
            f"smoothed_{name}": values
            for name, values in _estimate(result.smoothed, result.focal_sigma).items()
        }
    if result.depth is not None:
        found |= {**_depth(result.depth), "pose": _or_nan(result.pose, 4, 4)}
    if result.looming is not None:
        found |= _looming(result.looming, pair.reference.image.shape[:2])
    if result.planes is not None:
        found |= _planes(result.planes, pair.reference.image.shape[:2])
    if result.objects is not None:
        found |= _objects(result.objects, pair.reference.image.shape[:2])
    return found


def _number(value: Any) -> float:
    return float("nan") if value is None else float(value)


def _or_nan(values: Any, *shape: int) -> Any:
    return np.full(shape, np.nan) if values is None else values


def _flow(flow: Flow) -> dict[str, Any]:
    found = {"flow": flow.vectors, "sigma": flow.sigma, "smin": flow.smin, "threshmin": flow.threshmin}
    return found if flow.excluded is None else {**found, "excluded": flow.excluded}


def _motion(motion: Motion, focal_sigma: float) -> dict[str, Any]:
    return {
        "status": str(motion.status),
        **_estimate(motion, focal_sigma),
        "points": _or_nan(motion.points, 0, 2),
        "weights": _or_nan(motion.weights, 0),
        "inlier_share": motion.inlier_share,
        "noise": motion.noise,
    }


def _estimate(motion: Motion, focal_sigma: float) -> dict[str, Any]:
    translation = motion.translation
    return {
        "rotation": _or_nan(motion.rotation, 3, 3),
        "translation": _or_nan(translation and translation.direction, 3),
        "epipole": _or_nan(translation and translation.epipole, 3),
        "motion_covariance": _or_nan(motion_covariance(motion, focal_sigma), 5, 5),
    }


def _alternatives(motion: Motion, focal_sigma: float) -> dict[str, Any]:
    """One row for each other explanation of the pair."""
    names = {"rotation": (3, 3), "translation": (3,), "epipole": (3,)}
    found = [_estimate(other, focal_sigma) for other in motion.alternatives]
    return {
        f"alternative_{name}": np.array([each[name] for each in found], np.float64).reshape(-1, *shape)
        for name, shape in names.items()
    }


def _depth(depth: Depth) -> dict[str, Any]:
    found = {
        "inverse_depth": depth.inverse,
        "variance": depth.variance,
        "unknown": depth.unknown,
        "depth_unit": depth.unit,
        "step": depth.step,
    }
    if depth.approach is not None:
        contact = {"contact": depth.time_to_contact, "contact_unit": depth.contact_unit}
        found |= {"approach": depth.approach, **contact}
    return found


def _looming(parts: tuple[Looming, ...], shape: tuple[int, ...]) -> dict[str, Any]:
    """`looming_map` holds the position of a pixel's part in `looming_time`, -1 for none."""
    return {
        "looming_map": _positions([part.mask for part in parts], shape),
        "looming_time": np.array([part.time for part in parts], np.float64),
    }


def _positions(masks: Sequence[Mask], shape: tuple[int, ...]) -> NDArray[np.int16]:
    """(H, W) position of a pixel's mask among several, -1 for none."""
    positions = np.full(shape, -1, np.int16)
    for position, mask in enumerate(masks):
        positions[mask] = position
    return positions


def _planes(planes: tuple[Plane, ...], shape: tuple[int, ...]) -> dict[str, Any]:
    """`plane_map` holds the position of a pixel's plane in the other arrays, -1 for none."""
    normals, others = (
        np.array([_or_nan(normal, 3) for normal in normals], np.float64).reshape(-1, 3)
        for normals in ([p.normal for p in planes], [p.alternative_normal for p in planes])
    )
    return {
        "plane_map": _positions([plane.mask for plane in planes], shape),
        "plane_label": np.array([plane.label for plane in planes], np.int64),
        "plane_name": np.array([plane.name for plane in planes], np.str_),
        "plane_parameters": np.array([plane.parameters for plane in planes]).reshape(-1, 8),
        "plane_normal": normals,
        "plane_alternative_normal": others,
        "plane_distance": np.array([_number(plane.distance) for plane in planes]),
        "plane_residual": np.array([plane.residual for plane in planes], np.float64),
    }


def _objects(objects: tuple[MovingObject, ...], shape: tuple[int, ...]) -> dict[str, Any]:
    """`moving` holds the label of a pixel's object, 0 where nothing moves by itself."""
    moving = np.zeros(shape, np.int32)
    for part in objects:
        moving[part.mask] = part.label
    contact = [_number(part.time_to_contact) for part in objects]
    return {
        "moving": moving,
        "object_label": np.array([part.label for part in objects], np.int64),
        "object_velocity": np.array([part.velocity for part in objects], np.float64).reshape(-1, 2),
        "object_confidence": np.array([part.confidence for part in objects], np.float64),
        "object_since": np.array([_number(part.since) for part in objects], np.float64),
        "object_time_to_contact": np.array(contact, np.float64),
    }


def encode(found: Mapping[str, Any], compress: bool = False) -> memoryview:
    """Bytes of an npz; compressed, it takes ten times as long and a third less space."""
    buffer = BytesIO()
    (np.savez_compressed if compress else np.savez)(buffer, **found)
    return buffer.getbuffer()


class NpzSink:
    """Writes `DIR/frame_000012.npz`, one file a pair, to be opened with `numpy.load`."""

    needs: ClassVar[frozenset[Stage]] = frozenset()

    def __init__(self, target: str, run: Run) -> None:
        self._compress = run.compress
        self._folder = Folder(target, run, "npz", ".npz")

    def write(self, result: Result) -> None:
        """Write the arrays of one pair."""
        self._folder.add(result, encode(arrays(result), self._compress), FACTS)

    def close(self) -> None:
        """Close the manifest."""
        self._folder.close()
