"""The options of the method: each default is said here, once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from streamflow.errors import UsageError

if TYPE_CHECKING:
    from streamflow.geometry.camera import Calibration
    from streamflow.picture_mask import PictureMask

FlowMethod = Literal["fast", "balanced", "accurate", "plain"]
MotionModel = Literal["full", "translation"]
Reference = Literal["newest", "previous"]
CHOICES: dict[str, tuple[str, ...]] = {
    "flow": get_args(FlowMethod),
    "motion": get_args(MotionModel),
    "reference": get_args(Reference),
}
LIMITS = {
    "threshmin": (0.0, float("inf")),
    "warn_below": (0.01, 3600.0),
    "fov": (1.0, 179.0),
    "speed": (1e-6, float("inf")),
    "baseline": (1e-9, float("inf")),
    "camera_height": (1e-6, float("inf")),
}  # each at least, at most
LENGTHS = ("speed", "baseline", "camera_height", "known")  # each alone makes depth metric
SMALLEST_REGION = 8  # pixels


@dataclass
class Knobs:
    """What a viewer may turn while the stream runs."""

    threshmin: float = 0.2  # pixels whose smin is smaller count as without evidence
    stopping: bool = False  # the run is to end: nothing may wait for the viewer any more

    def __post_init__(self) -> None:
        _check_number("threshmin", self.threshmin)


@dataclass(frozen=True)
class Options:
    """How the stages work; fixed for a run. What makes no sense raises `UsageError`."""

    flow: FlowMethod = "balanced"
    motion: MotionModel = "full"
    reference: Reference = "newest"
    fuse: bool = True  # filter the depth over time
    fill: bool = False  # complete the depth where nothing was measured
    warn_below: float | None = None  # seconds to contact below which what is in the way is warned of
    region: tuple[int, int, int, int] | None = None  # x, y, width, height in pixels, for the planes
    mask: PictureMask | None = None  # what of the picture is not the scene, besides what is found so
    camera: Calibration | None = None
    fov: float | None = None  # degrees, horizontal; None: the source's, or an assumed one
    speed: float | None = None  # metres a second, makes depth metric
    baseline: float | None = None  # metres between two frames, makes depth metric
    camera_height: float | None = None  # metres of the camera above the ground, makes depth metric
    known: tuple[int, int, float] | None = None  # x, y and its distance in metres, makes depth metric

    def __post_init__(self) -> None:
        for name in CHOICES:
            _check_choice(name, getattr(self, name))
        for name in ("warn_below", "fov", "speed", "baseline", "camera_height"):
            _check_number(name, getattr(self, name))
        if self.region is not None:
            _check_region(self.region)
        if self.known is not None:
            _check_known(*self.known)
        lengths = [f"`{name}`" for name in LENGTHS if getattr(self, name) is not None]
        if len(lengths) > 1:
            raise UsageError(f"{' and '.join(lengths)} both set the scale: give one")
        if self.camera is not None and self.fov is not None:
            raise UsageError("`camera` and `fov` both describe the camera: give one")


def _check_choice(name: str, value: str) -> None:
    if value not in CHOICES[name]:
        raise UsageError(f"`{name}` {value}: there are {', '.join(CHOICES[name])}")


def _check_number(name: str, value: float | None) -> None:
    least, most = LIMITS[name]
    if value is not None and not least <= value <= most:  # NaN is neither
        bounds = f"at least {least:g}" if most == float("inf") else f"from {least:g} to {most:g}"
        raise UsageError(f"`{name}` {value:g} is not {bounds}")


def _check_region(region: tuple[Any, ...]) -> None:
    x, y, width, height = region
    if x < 0 or y < 0 or min(width, height) < SMALLEST_REGION:
        words = ",".join(map(str, region))
        raise UsageError(
            f"`region` {words}: a region starts inside the image and is at least "
            f"{SMALLEST_REGION}x{SMALLEST_REGION} pixels"
        )


def _check_known(x: int, y: int, metres: float) -> None:
    if min(x, y) < 0 or not 0 < metres < float("inf"):
        raise UsageError(f"`known` {x},{y},{metres:g}: x and y are pixels, the distance is above 0")
