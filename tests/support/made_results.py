"""Results made by hand, with numbers that a reader can check."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from sinks import Run
from streamflow.draw.painter import Painter
from streamflow.draw.panel import Style
from streamflow.geometry.camera import LENSES_SPREAD
from streamflow.options import Knobs
from streamflow.values import (
    CameraSource,
    Depth,
    Flow,
    Frame,
    FramePair,
    Matrix,
    Motion,
    MovingObject,
    Plane,
    Result,
    SourceInfo,
    Status,
    Translation,
    Unknown,
)

WIDTH, HEIGHT = 67, 45  # odd, and different, so that no swapped axis can hide
K = np.array([[80.0, 0, 33], [0, 80, 22], [0, 0, 1]])
INFO = SourceInfo("made.mp4", "made", length=5, rate=Fraction(25), size=(WIDTH, HEIGHT))
TIMES = [Fraction(index, 25) for index in range(6)]
SETTINGS = {"threshmin": 10.0, "flow": "balanced"}


def make_run(*, overwrite: bool = False, info: SourceInfo = INFO, threshmin: float = 10.0) -> Run:
    knobs = Knobs(threshmin)
    return Run(info, Painter(knobs, Style(("depth",))), knobs, overwrite, SETTINGS)


def make_results(
    times: Sequence[Fraction | None] = TIMES,
    size: tuple[int, int] = (WIDTH, HEIGHT),
) -> list[Result]:
    """One result for every two frames in a row."""
    frames = [make_frame(index, time, size) for index, time in enumerate(times)]
    return [make_result(frame, previous) for previous, frame in pairwise(frames)]


def make_frame(index: int, time: Fraction | None, size: tuple[int, int] = (WIDTH, HEIGHT)) -> Frame:
    """A smooth picture that moves, blue at the left, red at the bottom, with its index written on it."""
    y, x = np.mgrid[: size[1], : size[0]]
    planes = [255 - 255 * x / size[0], 128 + 100 * np.sin((x + 2 * index) / 5), 255 * y / size[1]]
    image = np.dstack(planes).astype(np.uint8)
    cv2.putText(image, str(index), (5, size[1] // 2), cv2.FONT_HERSHEY_PLAIN, 1, (255, 255, 255))
    return Frame(index, image, time)


def make_result(reference: Frame, target: Frame, **other: Any) -> Result:
    """Everything known, except in the marked corners."""
    shape = reference.image.shape[:2]
    values: dict[str, Any] = {
        "flow": make_flow(shape),
        "motion": make_motion(),
        "smoothed": make_motion(),
        "depth": make_depth(shape, reference.index),
        "planes": (make_plane(shape),),
        "objects": (make_object(shape),),
        "pose": make_pose(reference.index),
        "timing": {"flow": 12.5, "motion": 3.25},
    }
    starts = "start" if reference.index == 1 else None
    pair = FramePair(reference, target, starts)
    return Result(
        pair, K, CameraSource.ASSUMED, LENSES_SPREAD, **{**values, "starts_segment": starts, **other}
    )


def make_flow(shape: tuple[int, ...]) -> Flow:
    """(u, v) = (0.5 x / 8, -1.25) pixels; unknown at (0, 0); beyond KITTI's range at (0, 1)."""
    vectors = np.empty((*shape, 2), np.float32)
    vectors[..., 0] = np.arange(shape[1]) / 16
    vectors[..., 1] = -1.25
    sigma = np.full(shape, 0.125, np.float32)
    smin = np.full(shape, 20, np.float32)
    vectors[0, 0] = sigma[0, 0] = np.nan
    vectors[0, 1] = 600.0
    smin[1, 0] = 5  # below the threshold
    sigma[1, 1] = 3.5  # more than KITTI calls wrong
    return Flow(vectors, sigma, smin)


def make_motion() -> Motion:
    rotation = cv2.Rodrigues(np.radians([0.5, -1.0, 0.25]))[0]
    covariance = np.diag(np.radians([2, 2, 0.5, 0.5, 0.5]) ** 2)
    return Motion(
        Status.MOVING,
        rotation,
        Translation(np.array([0, 0, -1.0]), covariance, np.array([33.5, 20.25, 1])),
        inlier_share=0.75,
        noise=1.5,
    )


def make_depth(shape: tuple[int, ...], index: int) -> Depth:
    """1/8 at the top row to 1/80 at the bottom, nearer with every frame; unknown in the last column."""
    rows = np.linspace(1 / 8, 1 / 80, shape[0], dtype=np.float32) * np.float32(1 + index / 64)
    inverse = np.repeat(rows[:, None], shape[1], axis=1)
    variance = (0.02 * inverse) ** 2
    variance[-1] = (0.5 * inverse[-1]) ** 2  # not sure
    unknown = np.zeros(shape, np.uint8)
    inverse[:, -1] = variance[:, -1] = np.nan
    unknown[:, -1] = Unknown.OUTSIDE
    return Depth(inverse, variance, unknown, approach=25.0)


def make_pose(index: int) -> Matrix:
    """Two steps ahead and one to the right with every frame, turning right by 3 degrees a frame."""
    pose = np.eye(4)
    pose[:3, :3] = cv2.Rodrigues(np.radians([0, 3.0 * index, 0]))[0]
    pose[:3, 3] = index * np.array([1, 0, 2])
    return pose


def make_plane(shape: tuple[int, ...]) -> Plane:
    mask = np.zeros(shape, np.bool_)
    mask[shape[0] // 2 :] = True
    return Plane(3, np.arange(1.0, 9) / 1000, mask, 0.05, np.array([0, -1.0, 0]), 1.5, "ground")


def make_object(shape: tuple[int, ...]) -> MovingObject:
    """Four rows of six pixels that go right and up, since the first frame, and come nearer."""
    mask = np.zeros(shape, np.bool_)
    mask[10:14, 20:26] = True
    return MovingObject(2, mask, np.array([50.0, -12.5]), 0.875, Fraction(0), 2.5)


def write_all(sink: Any, results: Sequence[Result]) -> None:
    for result in results:
        sink.write(result)
    sink.close()


def files_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
