"""Optical flow, camera heading, depth and planes from any video, as it streams.

::

    import streamflow as sf

    vectors, sigma = sf.flow(first, second)                       # two arrays in, two arrays out
    with sf.open("drive.mp4") as source:                          # or any iterable of arrays
        for result in sf.results(source, stages={"depth"}):       # what it builds on is computed too
            result.depth.z, result.motion.status, sf.draw(result, "depth")

Importing this package opens nothing and loads neither numpy, a video library nor a compiler.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

# Two functions have the name of the package that does their work. It is imported before: importing it later
# would put it in the function's place.
from streamflow import draw as _draw  # noqa: F401
from streamflow import flow as _flow  # noqa: F401
from streamflow.api import draw, flow, open, results

if TYPE_CHECKING:
    from sinks.read import (
        read_depth,
        read_flo,
        read_flow,
        read_kitti,
        read_manifest,
        read_npz,
        read_pfm,
        read_ply,
        read_sidecar,
    )
    from sources.calibration import read_calibration
    from streamflow.errors import SinkError, SourceError, StreamflowError, UsageError
    from streamflow.kernels.derivatives import space_derivatives, time_derivative
    from streamflow.options import Knobs, Options
    from streamflow.pairs import frame_pairs
    from streamflow.stages import Stage
    from streamflow.values import (
        Depth,
        Flow,
        Frame,
        FramePair,
        Motion,
        Plane,
        Result,
        Status,
        Translation,
        Unknown,
    )

__version__ = "0.2.0"

_HOME = {
    "sinks.read": (
        "read_depth", "read_flo", "read_flow", "read_kitti", "read_manifest", "read_npz", "read_pfm",
        "read_ply", "read_sidecar",
    ),
    "sources.calibration": ("read_calibration",),
    "streamflow.errors": ("SinkError", "SourceError", "StreamflowError", "UsageError"),
    "streamflow.kernels.derivatives": ("space_derivatives", "time_derivative"),
    "streamflow.options": ("Knobs", "Options"),
    "streamflow.pairs": ("frame_pairs",),
    "streamflow.stages": ("Stage",),
    "streamflow.values": (
        "Depth", "Flow", "Frame", "FramePair", "Motion", "Plane", "Result", "Status", "Translation",
        "Unknown",
    ),
}  # fmt: skip

__all__ = [
    "Depth", "Flow", "Frame", "FramePair", "Knobs", "Motion", "Options", "Plane", "Result", "SinkError",
    "SourceError", "Stage", "Status", "StreamflowError", "Translation", "Unknown", "UsageError", "draw",
    "flow", "frame_pairs", "open", "read_calibration", "read_depth", "read_flo", "read_flow", "read_kitti",
    "read_manifest", "read_npz", "read_pfm", "read_ply", "read_sidecar", "results", "space_derivatives",
    "time_derivative",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Load a public name from its module when it is first used (PEP 562)."""
    for module, names in _HOME.items():
        if name in names:
            return getattr(import_module(module), name)
    raise AttributeError(f"module 'streamflow' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
