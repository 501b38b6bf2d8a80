"""Optical flow, camera heading, depth and planes from any video, as it streams.

::

    import streamflow
    from sources import open_source

    for result in streamflow.results(open_source("drive.mp4")):
        print(result.pair.reference.index, result.motion.status, result.flow.vectors.mean(axis=(0, 1)))

Importing this package opens nothing and loads neither a video library nor a compiler.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from streamflow.kernels.derivatives import space_derivatives, time_derivative
    from streamflow.options import Knobs, Options
    from streamflow.pairs import frame_pairs
    from streamflow.pipeline import results
    from streamflow.stages import Stage
    from streamflow.values import Depth, Flow, Frame, FramePair, Motion, Plane, Result, Status, Unknown

_HOME = {
    "kernels.derivatives": ("space_derivatives", "time_derivative"),
    "options": ("Knobs", "Options"),
    "pairs": ("frame_pairs",),
    "pipeline": ("results",),
    "stages": ("Stage",),
    "values": ("Depth", "Flow", "Frame", "FramePair", "Motion", "Plane", "Result", "Status", "Unknown"),
}

__all__ = [
    "Depth", "Flow", "Frame", "FramePair", "Knobs", "Motion", "Options", "Plane", "Result",
    "Stage", "Status", "Unknown", "frame_pairs", "results", "space_derivatives",
    "time_derivative",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Load a public name from its module when it is first used (PEP 562)."""
    for module, names in _HOME.items():
        if name in names:
            return getattr(import_module(f"streamflow.{module}"), name)
    raise AttributeError(f"module 'streamflow' has no attribute {name!r}")
