"""Dense optical flow between two frames, and how far to trust it."""

from streamflow.flow.engine import FlowEngine
from streamflow.flow.presets import PRESETS

__all__ = ["PRESETS", "FlowEngine"]
