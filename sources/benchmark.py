"""Benchmark folders: images with their ground truth.

- a sequence: ``image/`` and some of ``poses_c2w.txt`` (3x4 a line, camera to world), ``truth.json``
  (``camera``: static, rotation or forward; ``epipole_px``, ``tolerance_px``, ``fov`` in degrees),
  ``mask/`` (255 moves by itself), ``ignore/`` (255 is not judged), ``K.txt`` (3x3) and ``depth/`` (npz with
  ``depth`` in metres, or 16-bit PNG, 0 unknown, in metres x 256 beside a ``truth.json``, else x 5000);
- Middlebury: ``frame10.png``, ``frame11.png``, ``flow10.flo``;
- KITTI 2012 and 2015: ``image_2/*_10.png``, ``*_11.png`` and ``flow_occ/*_10.png``;
- Flying Chairs: ``*_img1.ppm``, ``*_img2.ppm``, ``*_flow.flo``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path

import cv2
import numpy as np

from streamflow.errors import SourceError
from streamflow.formats import flo, kitti
from streamflow.values import (
    CameraTruth,
    Frame,
    FrameTruth,
    Health,
    Image,
    Map,
    Mask,
    Matrix,
    SourceInfo,
    Vectors,
)

TUM_DEPTH_SCALE, KITTI_DEPTH_SCALE = 5000, 256  # grey levels a metre
SEQUENCE_TRUTH = ("poses_c2w.txt", "truth.json", "mask")


class SequenceSource:
    """Frames that carry what is true of them; pairs of separate scenes are marked by a gap."""

    def __init__(self, spelling: str, *, fps: Fraction | None = None) -> None:
        folder = Path(spelling)
        self._rate = fps
        self._frames = _sequence(folder) if is_sequence(folder) else _separate_pairs(folder)
        first = next(self._frames, None)
        if first is None or first.truth is None:
            raise SourceError(f"{spelling}: no images with ground truth in a layout known here")
        self._frames = chain([first], self._frames)
        self.health = Health()
        self.info = SourceInfo(
            name=spelling,
            stem=folder.resolve().name,
            rate=fps,
            size=first.size,
            camera_matrix=first.truth.camera_matrix,
            files=tuple(sorted(str(path) for path in folder.rglob("*") if path.is_file())),
        )

    def __iter__(self) -> Iterator[Frame]:
        for index, frame in enumerate(self._frames):
            self.health.decoded += 1
            time = index / self._rate if self._rate else None
            yield Frame(index, frame.image, time, frame.gap, frame.truth)

    def close(self) -> None:
        """Nothing to release."""


def is_sequence(folder: Path) -> bool:
    """Whether a folder holds a sequence and something that is true of it."""
    return (folder / "image").is_dir() and any((folder / name).exists() for name in SEQUENCE_TRUTH)


def _sequence(folder: Path) -> Iterator[Frame]:
    images = sorted(path for path in (folder / "image").iterdir() if not path.name.startswith("."))
    camera_matrix = _matrix(folder / "K.txt", (3, 3)) if (folder / "K.txt").is_file() else None
    camera = _camera_truth(folder / "truth.json")
    depth_scale = TUM_DEPTH_SCALE if camera is None else KITTI_DEPTH_SCALE
    for image, pose in zip(images, _poses(folder, len(images)), strict=True):
        moving = _mask(folder / "mask" / f"{image.stem}.png")
        truth = FrameTruth(
            pose=pose,
            camera_matrix=camera_matrix,
            depth=_depth(folder / "depth" / image.stem, depth_scale),
            camera=camera,
            labels=None if moving is None else moving.view(np.uint8),
            ignored=_mask(folder / "ignore" / f"{image.stem}.png"),
        )
        yield Frame(0, _image(image), truth=truth)


def _poses(folder: Path, count: int) -> list[Matrix] | list[None]:
    """(4, 4) of every image; None where there are no poses."""
    path = folder / "poses_c2w.txt"
    if not path.is_file():
        return [None] * count
    try:
        poses = np.loadtxt(path).reshape(-1, 3, 4)
    except ValueError as error:
        raise SourceError(f"{path}: not twelve numbers a line ({error})") from error
    if len(poses) != count:
        raise SourceError(f"{folder}: {count} images but {len(poses)} poses")
    return [np.vstack([pose, [0, 0, 0, 1]]) for pose in poses]


def _camera_truth(path: Path) -> CameraTruth | None:
    if not path.is_file():
        return None
    kinds = {"static": "static", "rotation": "rotation", "forward": "moving", None: None}
    try:
        said = json.loads(path.read_text())
        epipole = said.get("epipole_px")
        return CameraTruth(
            kind=kinds[said.get("camera")],  # type: ignore[arg-type]
            epipole=None if epipole is None else np.array(epipole, np.float64).reshape(2),
            tolerance=float(said.get("tolerance_px") or 0),
            fov=said.get("fov"),
        )
    except (ValueError, KeyError, AttributeError) as error:
        raise SourceError(
            f"{path}: not the truth of a camera ({error}); "
            'write {"camera": "static", "rotation" or "forward", "epipole_px": [x, y], "fov": degrees}'
        ) from error


def _mask(path: Path) -> Mask | None:
    """(H, W) where a picture is white; None where there is none."""
    if not path.is_file():
        return None
    grey = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if grey is None:
        raise SourceError(f"{path}: cannot be read as an image")
    return np.asarray(grey) > 127


def _separate_pairs(folder: Path) -> Iterator[Frame]:
    """Two frames a scene; the first carries the flow to the second."""
    for first, second, flow in _flow_files(folder):
        yield Frame(0, _image(first), gap="another scene", truth=FrameTruth(flow=_flow(flow)))
        yield Frame(0, _image(second), truth=FrameTruth())


def _flow_files(folder: Path) -> list[tuple[Path, Path, Path]]:
    """(first image, second image, flow) of every pair."""
    found = []
    for flow in sorted(folder.glob("flow[0-9]*.flo")):
        number = int(flow.stem.removeprefix("flow"))
        found.append((folder / f"frame{number:02d}.png", folder / f"frame{number + 1:02d}.png", flow))
    for flow in sorted((folder / "flow_occ").glob("*_10.png")):
        images = next(
            folder / name for name in ("image_2", "image_0", "colored_0") if (folder / name).is_dir()
        )
        found.append((images / flow.name, images / flow.name.replace("_10", "_11"), flow))
    for flow in sorted(folder.glob("*_flow.flo")):
        first = next(iter(folder.glob(flow.name.replace("_flow.flo", "_img1.*"))), flow)
        found.append((first, Path(str(first).replace("_img1", "_img2")), flow))
    return found


def _image(path: Path) -> Image:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise SourceError(f"{path}: cannot be read as an image")
    return np.asarray(image, np.uint8)


def _flow(path: Path) -> Vectors:
    """(H, W, 2) pixels, NaN where unknown."""
    try:
        data = path.read_bytes()
        return flo.decode(data) if path.suffix == ".flo" else kitti.decode(data)
    except (OSError, ValueError) as error:
        raise SourceError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from error


def _depth(stem: Path, scale: float) -> Map | None:
    """(H, W) metres, NaN where unknown."""
    if stem.with_suffix(".npz").is_file():
        with np.load(stem.with_suffix(".npz")) as arrays:
            depth: Map = np.asarray(arrays["depth"], np.float32)
    elif stem.with_suffix(".png").is_file():
        coded = cv2.imread(str(stem.with_suffix(".png")), cv2.IMREAD_UNCHANGED)
        depth = np.asarray(coded, np.float32) / np.float32(scale)
    else:
        return None
    return np.where(np.isfinite(depth) & (depth > 0), depth, np.nan).astype(np.float32)


def _matrix(path: Path, shape: tuple[int, int]) -> Matrix:
    try:
        return np.loadtxt(path).reshape(shape)
    except (OSError, ValueError) as error:
        raise SourceError(f"{path}: not a matrix of {shape[0]}x{shape[1]} numbers ({error})") from error
