"""The options of the method: each default is said here, once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from streamflow.geometry.camera import Calibration


FlowMethod = Literal["fast", "balanced", "accurate", "plain"]


@dataclass
class Knobs:
    """What a viewer may turn while the stream runs."""

    threshmin: float = 0.2  # pixels whose smin is smaller count as without evidence
    stopping: bool = False  # the run is to end: nothing may wait for the viewer any more


@dataclass(frozen=True)
class Options:
    """How the stages work; fixed for a run."""

    flow: FlowMethod = "balanced"
    motion: Literal["full", "translation"] = "full"
    reference: Literal["newest", "previous"] = "newest"
    fuse: bool = True  # filter the depth over time
    warn_below: float | None = None  # seconds to contact below which what is in the way is warned of
    region: tuple[int, int, int, int] | None = None  # x, y, width, height in pixels, for the planes
    camera: Calibration | None = None
    fov: float | None = None  # degrees, horizontal; None: the source's, or an assumed one
    speed: float | None = None  # metres a second, makes depth metric
    baseline: float | None = None  # metres between two frames, makes depth metric
