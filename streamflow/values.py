"""The values that travel from the source through the stages to the sinks.

Conventions, everywhere: pixel (0, 0) is the centre of the top-left pixel, x right, y down; arrays are
[y, x]; camera axes are x right, y down, z forward; images are uint8 BGR. A point X in the reference
camera is R X + T in the target camera, and |T| = 1: the unit of length is the camera's step between the
two frames. Unknown is NaN in a map and None elsewhere; never zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, is_dataclass, replace
from enum import IntFlag, StrEnum
from fractions import Fraction
from functools import cached_property
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from streamflow.field_docs import FieldDocs

Image = NDArray[np.uint8]  # (H, W, 3) BGR, or (H, W) grey
Map = NDArray[np.floating]  # (H, W) float32, one number a pixel, NaN where unknown
Vectors = NDArray[np.floating]  # (H, W, 2) float32, (u, v), pixels
Mask = NDArray[np.bool_]  # (H, W)
Matrix = NDArray[np.float64]  # small arrays: matrices, vectors, points


@dataclass(frozen=True, eq=False)
class Frame:
    """One image of the stream."""

    index: int  # position in the stream, from 0; frames that were lost or dropped leave a hole
    image: Image  # (H, W, 3) uint8 BGR
    time: Fraction | None = None  # seconds on the stream's own clock
    gap: str | None = None  # why this frame does not follow the one before it, if it does not
    truth: FrameTruth | None = None  # where the frame was taken and how deep the scene is, if known
    damaged: bool = False  # the decoder could restore it in part only, or had to build on such a frame
    rectified: bool = False  # the lens distortion was undone: `image` is as an ideal pinhole sees it

    @cached_property
    def grey(self) -> Image:
        """(H, W) uint8."""
        return np.asarray(cv2.cvtColor(self.image, cv2.COLOR_BGR2GRAY), np.uint8)

    def without_colour(self) -> Frame:
        """Return the same in grey, a quarter of the memory: for what remembers many frames."""
        image = np.broadcast_to(self.grey[..., None], self.image.shape)
        frame = replace(self, image=image, truth=None)
        vars(frame)["grey"] = self.grey
        return frame

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.image.shape[1], self.image.shape[0]


@dataclass(frozen=True, eq=False)
class CameraTruth:
    """What is known to be true of a camera throughout a sequence; a field that is not known is None."""

    kind: Literal["static", "rotation", "moving"] | None = None  # bolted down, only turns, travels
    epipole: Matrix | None = None  # (2,) pixels; the camera moves towards it
    tolerance: float = 0.0  # of the epipole, pixels
    fov: float | None = None  # degrees, horizontal


@dataclass(frozen=True, eq=False)
class FrameTruth:
    """What is known to be true of one frame; a field that is not known is None."""

    pose: Matrix | None = None  # (4, 4) camera to world
    camera_matrix: Matrix | None = None  # (3, 3) pixels
    depth: Map | None = None  # z in world units, NaN where there is nothing
    flow: Vectors | None = None  # (H, W, 2) pixels to the next frame, NaN where unknown
    camera: CameraTruth | None = None
    labels: NDArray[np.uint8] | None = None  # (H, W) k: the k-th of what moves by itself; 0: the still scene
    placements: tuple[Matrix, ...] = ()  # (4, 4) to world of the first, second, ... that moves by itself
    ignored: Mask | None = None  # (H, W) not judged
    fixed: Mask | None = None  # (H, W) fixed to the camera: overlay, bonnet, bars
    shot: int = 0  # counts the cuts before the frame

    @property
    def moving(self) -> Mask | None:
        """(H, W) what moves by itself."""
        return None if self.labels is None else self.labels > 0


@dataclass(frozen=True, eq=False)
class FramePair:
    """Two frames of one size: `vectors` point from the reference to the target."""

    reference: Frame
    target: Frame
    starts_segment: str | None = None  # why memory says nothing of it: start, cut, gap, after damage
    repeat: Frame | None = None  # shows the newest frame's picture again: nothing else is new

    @property
    def newest(self) -> Frame:
        """The later frame."""
        return max(self.reference, self.target, key=lambda frame: frame.index)

    @property
    def forward(self) -> bool:
        """Whether the target is the later frame."""
        return self.target.index > self.reference.index

    @property
    def damaged(self) -> bool:
        """Whether one of the frames is: what is found may be of the damage, not of the scene."""
        return self.reference.damaged or self.target.damaged

    @property
    def interval(self) -> Fraction | None:
        """Seconds between the two frames, > 0; None when the stream has no clock."""
        if self.reference.time is None or self.target.time is None:
            return None
        return abs(self.target.time - self.reference.time) or None


@dataclass(frozen=True, eq=False)
class Flow:
    """Dense optical flow on the reference image."""

    vectors: Vectors  # (H, W, 2) pixels: x_target = x_reference + vectors
    sigma: Map  # standard deviation of each component of the error of `vectors`, pixels
    smin: Map  # smallest singular value of the window's gradients, grey levels per pixel
    threshmin: float = 0.0  # pixels whose smin is smaller count as without evidence
    excluded: Mask | None = None  # (H, W) what is fixed to the camera or masked by the user: not the scene

    @cached_property
    def evident(self) -> Map:
        """(H, W) `sigma` where smin reaches the threshold, infinite where nothing tells of the scene."""
        sigma = self.sigma.copy()
        sigma[~(self.smin >= self.threshmin)] = np.inf  # twice as fast as np.where
        if self.excluded is not None:
            sigma[self.excluded] = np.inf
        return sigma


class Status(StrEnum):
    """What one pair says about the camera; exactly one holds."""

    STATIC = "static"  # nothing moves
    ROTATION = "rotation"  # the camera only turned: no epipole, no depth
    PLANAR = "planar"  # one plane, or too little parallax to tell
    AMBIGUOUS = "ambiguous"  # two motions explain the pair equally well
    LOW_CONFIDENCE = "low_confidence"  # too little evidence for any answer
    MOVING = "moving"


class CameraSource(StrEnum):
    """How the camera matrix is known."""

    GIVEN = "given"  # by the user: a calibration or a field of view
    RECORDED = "recorded"  # by the source: EXIF, the container, a calibration beside the pictures
    ESTIMATED = "estimated"  # from the pairs between which the camera turned
    ASSUMED = "assumed"  # nobody says: a usual field of view


@dataclass(frozen=True)
class SourceInfo:
    """What is known of a stream before its first frame."""

    name: str  # as the user would recognise it
    stem: str  # for naming outputs
    live: bool = False  # a camera: no end, and frames that wait are old
    length: int | None = None  # frames, if known; files lie, so it serves progress only
    rate: Fraction | None = None  # nominal frames a second
    size: tuple[int, int] | None = None  # (width, height), if known before the first frame
    camera_matrix: Matrix | None = None  # (3, 3) pixels, if the source knows it
    distortion: Matrix | None = None  # of its lens as OpenCV has it: k1 k2 p1 p2 k3 ..., or four if `fisheye`
    fisheye: bool = False
    projection: str | None = None  # of pictures that are not flat, such as "equirectangular"
    focal_35mm: float | None = None  # focal length in millimetres on 35 mm film (EXIF), if recorded
    files: tuple[str, ...] = ()  # what is read, if it is files

    # What is known of the camera is known of the source's own pictures. Where the frames are made from them:
    original_size: tuple[int, int] | None = None  # (width, height) of the source's own pictures
    from_original: Matrix | None = None  # (3, 3) affine, their pixels -> the frames' pixels


@dataclass
class Health:
    """What happened to a stream so far, for progress and exit code; its source and the pairing write it."""

    decoded: int = 0
    damaged: int = 0  # frames or packets that could not be decoded, or only in part
    missing: int = 0  # frames the container promises that never came
    dropped: int = 0  # live: frames overtaken by newer ones
    gaps: int = 0
    cuts: int = 0  # found in the pictures
    repeats: int = 0  # frames that show the last picture again
    next_is_late: bool = False  # live: the next frame has to be waited for
    notes: list[str] = field(default_factory=list)  # one line each, for the user; the first few

    def note(self, line: str) -> None:
        """Keep `line` for the user, once, unless there are many: every frame of a stream may be broken."""
        if len(self.notes) < 20 and line not in self.notes:
            self.notes.append(line)

    def restore(self, earlier: Health) -> None:
        """Forget what happened since it was as `earlier`, of which nobody asked."""
        vars(self).update(vars(earlier), notes=[*earlier.notes])

    @property
    def whole(self) -> bool:
        """Whether every frame came undamaged."""
        return not (self.damaged or self.missing)


@dataclass(frozen=True, eq=False)
class Translation:
    """Which way the camera moved; how far, one camera alone cannot tell."""

    direction: Matrix  # (3,) unit T; X_target = R X_reference + T
    # (5, 5) of (tau (2), omega (3)), radians: of T + B tau and of exp(omega) R, given the camera matrix
    covariance: Matrix
    epipole: Matrix  # (3,) homogeneous, reference pixels; [2] > 0: the camera moves towards it


@dataclass(frozen=True)
class Evidence:
    """How well each model explains a pair: mean log likelihood, nats a match, its own noise fitted."""

    static: float
    rotation: float
    planar: float
    moving: float  # whatever the depths
    relief: float  # by which depths about a plane explain the pair better than the plane alone


@dataclass(frozen=True, eq=False)
class Motion:
    """The camera's motion between the two frames of a pair; a field that is not known is None."""

    status: Status
    rotation: Matrix | None = None  # (3, 3) R; known wherever the translation is
    translation: Translation | None = None
    points: Matrix | None = None  # (N, 2) pixels the estimate was made from
    weights: Matrix | None = None  # (N,) 0 outlier .. 1 inlier
    inlier_share: float = float("nan")
    noise: float = float("nan")  # scale of the residuals over the predicted error
    alternatives: tuple[Motion, ...] = ()  # the other explanations, when ambiguous or planar
    zoom: float = 1.0  # factor by which the focal length grew as time went by: not 1 where the lens zooms
    evidence: Evidence | None = None  # for each model
    # (2, G) logarithms of focal lengths over the camera matrix's, and how well a rotation behind each
    # explains the pair, nats a match. None: the focal length is given, or a rotation explains nothing.
    focal_lengths: Matrix | None = None


class Unknown(IntFlag):
    """Why a pixel has no depth."""

    NO_EVIDENCE = 1  # gradients or flow too weak to tell
    NEAR_EPIPOLE = 2  # too close to the epipole: no parallax
    OCCLUDED = 4
    MOVING = 8  # moves by itself: off its epipolar line, or behind the camera
    OUTSIDE = 16  # left the image
    NO_MOTION = 32  # the camera did not move, or how is not known
    FIXED = 64  # fixed to the camera, or masked by the user: not the scene
    FILLED = 128  # not measured: completed from its surroundings


@dataclass(frozen=True, eq=False)
class Depth:
    """Depth of the reference image."""

    inverse: Map  # 1/z in 1/`unit`, NaN where unknown
    variance: Map  # of `inverse`
    unknown: NDArray[np.uint8]  # (H, W) bit field of `Unknown`, 0 where `inverse` is known
    approach: float | None = None  # way along the optical axis, in `unit` a `contact_unit`; NaN if hardly any
    contact_unit: str = "s"  # "s", or "frames" when the stream has no clock
    unit: str = "steps"  # "steps" of the camera: this pair's, or since a reset the first pair's; or "m"
    step: float = 1.0  # how far the camera moved between the two frames, in `unit`
    new_unit: bool = False  # `unit` is the step of this pair, and how long the one before was is not known
    held: bool = False  # the pair measured nothing: depth of the pairs before, carried over
    unit_sigma: float | None = None  # relative standard deviation of the metre; None for steps
    scatter: Map | None = None  # the part of `variance` by which neighbours differ; None: all of it

    def without(self, excluded: Mask, reason: Unknown = Unknown.FIXED) -> Depth:
        """Return the same, unknown where the picture does not show the scene, or not one at rest."""
        inverse, variance, unknown = self.inverse.copy(), self.variance.copy(), self.unknown.copy()
        inverse[excluded] = variance[excluded] = np.nan
        unknown[excluded] = reason
        return replace(self, inverse=inverse, variance=variance, unknown=unknown)

    @cached_property
    def z(self) -> Map:
        """(H, W) depth in `unit`."""
        with np.errstate(divide="ignore"):
            return np.asarray(1 / self.inverse, np.float32)

    @cached_property
    def time_to_contact(self) -> Map | None:
        """(H, W) time until the camera's plane reaches each point, at its present speed, in `contact_unit`.

        Negative when the camera backs away, NaN where unknown and everywhere when it does neither.
        """
        if self.approach is None:
            return None
        with np.errstate(divide="ignore"):
            contact = np.divide(np.float32(1 / self.approach), self.inverse)
        contact[~(self.inverse > 0)] = np.nan
        return contact


@dataclass(frozen=True, eq=False)
class Looming:
    """A part of the scene that the camera will run into, if it goes on as it does."""

    time: float  # seconds until contact
    mask: Mask  # (H, W), reference image

    @cached_property
    def box(self) -> tuple[int, int, int, int]:
        """(x, y, width, height) pixels."""
        x, y, width, height = cv2.boundingRect(self.mask.view(np.uint8))
        return x, y, width, height

    @cached_property
    def share(self) -> float:
        """Of the image."""
        return float(self.mask.mean())


@dataclass(frozen=True, eq=False)
class Plane:
    """A planar part of the scene."""

    label: int  # stable from frame to frame
    parameters: Matrix  # (8,) a1..a8 of the quadratic flow in calibrated coordinates
    mask: Mask  # pixels that obey
    residual: float  # rms over the mask, pixels
    normal: Matrix | None = None  # (3,) unit, towards the camera, reference camera axes
    distance: float | None = None  # of the plane from the camera, in the depth's unit
    name: str = ""  # "ground" where that is known
    alternative_normal: Matrix | None = None  # (3,) the other that explains the flow, where motion is unknown


@dataclass(frozen=True, eq=False)
class MovingObject:
    """A part of the picture that moves by itself."""

    label: int  # its identity, stable from frame to frame; >= 1
    mask: Mask  # (H, W), reference image
    velocity: Matrix  # (2,) pixels a second relative to the scene behind it; NaN without a clock
    confidence: float  # 0 .. 1, that it does move by itself
    since: Fraction | None = None  # time of the frame in which it was first seen, seconds
    time_to_contact: float | None = None  # seconds, from its own expansion; None: it does not come nearer
    miss: Matrix | None = None  # (2,) from the camera to its middle on contact, pixels at its present size

    @cached_property
    def box(self) -> tuple[int, int, int, int]:
        """(x, y, width, height) pixels."""
        x, y, width, height = cv2.boundingRect(self.mask.view(np.uint8))
        return x, y, width, height

    @cached_property
    def area(self) -> float:
        """Share of the image."""
        return float(self.mask.mean())


@dataclass(frozen=True, eq=False, repr=False)
class Result:
    """Everything that was found in one pair; a stage that did not run is None."""

    pair: FramePair
    camera_matrix: Matrix  # (3, 3) pixels
    camera_source: CameraSource  # how that is known
    focal_sigma: float = 0.0  # relative standard deviation of its focal length; 0: as given
    flow: Flow | None = None
    motion: Motion | None = None  # of this pair alone
    smoothed: Motion | None = None  # `motion` filtered over the pairs so far: the heading that pictures show
    depth: Depth | None = None
    looming: tuple[Looming, ...] | None = None  # the most urgent first; None: nobody asked for a warning
    planes: tuple[Plane, ...] | None = None
    pose: Matrix | None = None  # (4, 4) camera to world, the segment's first camera, in the depth's unit
    objects: tuple[MovingObject, ...] | None = None  # what moves by itself
    timing: Mapping[str, float] = field(default_factory=dict)  # milliseconds per stage
    segment: int = 0  # counts the parts of the stream that share one unit of depth and one trajectory
    starts_segment: str | None = None  # why a segment begins with this pair, if one does

    def __repr__(self) -> str:
        size = "{}x{}".format(*self.pair.reference.size)
        words = [f"frame {self.pair.reference.index} to {self.pair.target.index}", size]
        if self.motion is not None:
            words.append(str(self.motion.status))
        if self.depth is not None:
            words.append(f"depth of {np.isfinite(self.depth.inverse).mean():.0%}")
        if self.planes is not None:
            words.append(f"{len(self.planes)} planes")
        return f"<Result: {', '.join(words)}>"

    def _repr_png_(self) -> bytes:
        """Return the picture that a notebook shows; only there does a value know that it can be drawn."""
        from streamflow import draw

        return cv2.imencode(".png", draw(self)[..., ::-1])[1].tobytes()


for _value in [value for value in vars().values() if is_dataclass(value)]:
    setattr(_value, "__doc__", FieldDocs(_value.__doc__))  # noqa: B010
