"""The values that travel from the source through the stages to the sinks.

Conventions, everywhere: pixel (0, 0) is the centre of the top-left pixel, x right, y down; arrays are
[y, x]; camera axes are x right, y down, z forward; images are uint8 BGR. A point X in the reference
camera is R X + T in the target camera, and |T| = 1: the unit of length is the camera's step between the
two frames. Unknown is NaN in a map and None elsewhere; never zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import IntFlag, StrEnum
from fractions import Fraction
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from streamflow.field_docs import tell_fields
from streamflow.frames import (
    CameraTruth,
    Frame,
    FramePair,
    FrameTruth,
    Health,
    Image,
    Map,
    Mask,
    Matrix,
    SourceInfo,
    Vectors,
)

__all__ = [
    "CameraSource", "CameraTruth", "Depth", "Evidence", "Flow", "Frame", "FramePair", "FrameTruth",
    "Health", "Image", "Looming", "Map", "Mask", "Matrix", "Motion", "MovingObject", "Plane", "Result",
    "SourceInfo", "Status", "Translation", "Unknown", "Vectors",
]  # fmt: skip


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


tell_fields(vars())
