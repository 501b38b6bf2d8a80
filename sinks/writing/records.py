"""JSON records: what the outputs say of a pair and its camera, and the lines they keep it in."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from streamflow.geometry.camera import field_of_view, field_of_view_sigma
from streamflow.values import Result


def to_json(record: Mapping[str, Any], indent: int | None = None) -> str:
    """JSON of `record`: arrays as lists, numbers that are not finite as null, anything else as text."""
    return json.dumps(_plain(record), indent=indent, allow_nan=False, ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float | Fraction):
        return float(value) if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def pair_record(result: Result) -> dict[str, Any]:
    """Which pair: indices of its frames, the newest frame's time in seconds, whether to trust it."""
    pair = result.pair
    return {
        "index": pair.newest.index,
        "reference": pair.reference.index,
        "target": pair.target.index,
        "time": pair.newest.time,
        "interval": pair.interval,
        "segment": result.segment,
        "starts_segment": result.starts_segment,
        "damaged": pair.damaged,
    }


def lens_record(result: Result) -> dict[str, Any]:
    """How the camera is known, and its horizontal field of view with the standard deviation."""
    fov = field_of_view(result.camera_matrix, result.pair.reference.size)
    return {
        "source": result.camera_source,
        "fov_deg": fov,
        "fov_sigma_deg": field_of_view_sigma(fov, result.focal_sigma),
    }


def camera_record(result: Result) -> dict[str, Any]:
    """What a reader must know of the camera and of the frame that the maps lie on."""
    newest = result.pair.reference is result.pair.newest
    return {
        "size": result.pair.reference.size,
        "registered_on": "newest frame" if newest else "previous frame",
        "camera_matrix": result.camera_matrix,
        "camera": lens_record(result),
        "rectified": result.pair.reference.rectified,  # maps lie on the picture without lens distortion
    }


def read_records(path: Path) -> list[dict[str, Any]]:
    """Every whole line of a JSONL file; the last one may be torn, if the writer was killed."""
    records = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            records.append(json.loads(line))
        except ValueError:
            break
    return records
