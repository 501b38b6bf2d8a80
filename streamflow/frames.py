"""The values that come in: frames, pairs of them, and what is known of their source; and names for arrays."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from streamflow.field_docs import tell_fields

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


tell_fields(vars())
