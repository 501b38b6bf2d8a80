"""Rendered scenes whose exact flow, epipole and depth are known: a demo, a playground, the tests' truth.

``demo`` is ``demo:forward``; ``demo:oblique,size=320x240,frames=20,speed=2,fov=40`` changes what it shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
from scipy.spatial.transform import Rotation

from sources.scenes.table import SCENES
from streamflow.errors import SourceError
from streamflow.evaluation.scene import Surface, placed, shade, trace
from streamflow.geometry.camera import matrix_from_fov
from streamflow.values import CameraTruth, Frame, FrameTruth, Health, Image, Matrix, SourceInfo

SETTINGS = {"size": "640x480", "frames": "40", "speed": "1", "fov": "60"}


class SyntheticSource:
    """Frames of a rendered scene; every frame carries its truth."""

    def __init__(self, spelling: str, *, fps: Fraction | None = None) -> None:
        name, settings = _parse(spelling)
        self._size = _size(settings["size"], spelling)
        self._count = int(_number(settings["frames"], spelling))
        self._speed = _number(settings["speed"], spelling)
        self._fov = _fov(settings["fov"], spelling)
        self._scene = SCENES[name]
        self._rate = fps or Fraction(30)
        self._truth = self._camera_truth()
        self.health = Health()
        self.info = SourceInfo(
            name=spelling,
            stem=f"demo_{name}",
            length=self._count,
            rate=self._rate,
            size=self._size,
            camera_matrix=self.camera_matrix(0) if self._scene.calibrated else None,
        )

    def pose(self, index: int) -> Matrix:
        """(4, 4) camera to world: it moves along its first axes and turns about its own."""
        pose = np.eye(4)
        pose[:3, :3] = Rotation.from_rotvec(index * np.radians(self._scene.turn) * self._speed).as_matrix()
        pose[:3, 3] = index * np.array(self._scene.step) * self._speed
        return pose

    def camera_matrix(self, index: int) -> Matrix:
        """(3, 3) pixels."""
        matrix = matrix_from_fov(self._fov, self._size)
        matrix[[0, 1], [0, 1]] *= 1 + self._scene.zoom * self._speed * index
        return matrix

    def __iter__(self) -> Iterator[Frame]:
        for index in range(self._count):
            self.health.decoded += 1
            image, truth = self._rendered(index // self._scene.shown)
            yield Frame(index, image, index / self._rate, truth=truth)

    def close(self) -> None:
        """Nothing to release."""

    def _rendered(self, index: int) -> tuple[Image, FrameTruth]:
        """Picture number `index` and what is true of it."""
        shot, within = divmod(index, self._scene.shot or self._count)
        pose, matrix = self.pose(within), self.camera_matrix(within)
        surfaces, placements = self._surfaces(shot, within)
        hits = trace(surfaces, pose, matrix, self._size)
        image, depth, labels = shade(surfaces, hits, pose, matrix), hits.depth, hits.labels(surfaces)
        fixed = None
        if self._scene.overlay is not None:
            picture, fixed = self._scene.overlay(self._size, index)
            image[fixed], depth[fixed], labels[fixed] = picture[fixed], np.nan, 0
        return image, FrameTruth(
            pose,
            matrix,
            depth,
            camera=self._truth,
            labels=labels,
            placements=placements,
            fixed=fixed,
            shot=shot,
        )

    def _surfaces(self, shot: int, index: int) -> tuple[list[Surface], tuple[Matrix, ...]]:
        """All surfaces, and where those that move by themselves have gone: (4, 4) each."""
        surfaces, placements = self._scene.world(100 * shot), []
        for label, mover in enumerate(self._scene.movers, start=1):
            placement = np.eye(4)
            placement[:3, 3] = index * np.array(mover.velocity) * self._speed
            placements.append(placement)
            surfaces += placed(mover.surfaces(), placement[:3, 3], label)
        return surfaces, tuple(placements)

    def _camera_truth(self) -> CameraTruth:
        if any(self._scene.step) and self._speed:
            return CameraTruth("moving", fov=self._fov)
        turns = (any(self._scene.turn) or self._scene.zoom) and self._speed
        # A lens that zooms has no one field of view.
        return CameraTruth("rotation" if turns else "static", fov=None if self._scene.zoom else self._fov)


def _parse(spelling: str) -> tuple[str, dict[str, str]]:
    """Split "demo:oblique,size=320x240" into its scene and its settings."""
    words = spelling.partition(":")[2].split(",")
    name = words.pop(0) if "=" not in words[0] else ""
    name = name or "forward"
    if name not in SCENES:
        raise SourceError(f"{spelling}: no scene {name}; there are {', '.join(SCENES)}")
    given = {key: value for key, _, value in (word.partition("=") for word in words)}
    for key in given:
        if key not in SETTINGS:
            raise SourceError(f"{spelling}: no setting {key}; there are {', '.join(SETTINGS)}")
    return name, SETTINGS | given


def _size(text: str, spelling: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal() and int(width) >= 16 and int(height) >= 16):
        raise SourceError(f"{spelling}: size {text} is not WIDTHxHEIGHT with at least 16x16 pixels")
    return int(width), int(height)


def _number(text: str, spelling: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise SourceError(f"{spelling}: {text} is not a number") from None


def _fov(text: str, spelling: str) -> float:
    degrees = _number(text, spelling)
    if not 1 <= degrees <= 150:
        raise SourceError(f"{spelling}: fov {text} is not between 1 and 150 degrees")
    return degrees
