"""Rendered scenes whose exact flow, epipole and depth are known: a demo, a playground, the tests' truth.

``demo`` is ``demo:forward``; ``demo:oblique,size=320x240,frames=20,speed=2`` changes what it shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
from scipy.spatial.transform import Rotation

from streamflow.errors import SourceError
from streamflow.evaluation.scene import Surface, box, rectangle, render
from streamflow.geometry.camera import matrix_from_fov
from streamflow.values import Frame, Health, Matrix, SourceInfo, View

# World units a frame along (x, y, z), and degrees a frame about (x, y, z).
MOTIONS: dict[str, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    "forward": ((0, 0, 0.12), (0, 0, 0)),
    "backward": ((0, 0, -0.12), (0, 0, 0)),
    "sideways": ((0.06, 0, 0), (0, 0, 0)),
    "oblique": ((0.07, -0.01, 0.08), (0, 0, 0)),
    "turning": ((0.02, 0, 0.12), (0.1, 0.4, -0.1)),
    "rotation": ((0, 0, 0), (0.1, 0.5, 0.2)),
    "still": ((0, 0, 0), (0, 0, 0)),
    "wall": ((0.03, 0, 0.06), (0, 0, 0)),
}


def street() -> list[Surface]:
    """Build a ground, a wall at the end, two house fronts and four boxes."""
    fronts = [
        rectangle((-5, -4, -4), (0, 0, 28), (0, 5.5, 0), texel=0.03, seed=3, colour=(0.7, 0.8, 1.0)),
        rectangle((6, -4, -4), (0, 0, 28), (0, 5.5, 0), texel=0.03, seed=4, colour=(0.95, 0.85, 0.75)),
    ]
    return [
        rectangle((-40, 1.5, -8), (80, 0, 0), (0, 0, 40), texel=0.03, seed=1, colour=(0.8, 0.9, 0.85)),
        rectangle((-40, -20, 24), (80, 0, 0), (0, 22, 0), texel=0.06, seed=2, colour=(1.0, 0.9, 0.8)),
        *fronts,
        *box((-2.6, 0.1, 7), (1.2, 1.4, 1.0), seed=10, colour=(0.5, 0.6, 1.0)),
        *box((1.6, -0.5, 9), (1.4, 2.0, 1.2), seed=20, colour=(0.5, 1.0, 0.7)),
        *box((-0.6, 0.5, 13), (1.0, 1.0, 1.0), seed=30, colour=(0.5, 0.95, 1.0)),
        *box((3.4, -1.5, 15), (1.2, 3.0, 1.5), seed=40, colour=(1.0, 0.7, 0.9)),
    ]


def wall() -> list[Surface]:
    """Build a single slanted plane."""
    return [rectangle((-30, -20, 2), (60, 0, 12), (0, 40, 4), texel=0.015, seed=5)]


class SyntheticSource:
    """Frames of a rendered scene; every frame carries its truth."""

    def __init__(self, spelling: str, *, fps: Fraction | None = None) -> None:
        name, settings = _parse(spelling)
        self._size = _size(settings.pop("size", "640x480"), spelling)
        self._count = int(_number(settings.pop("frames", "40"), spelling))
        self._speed = _number(settings.pop("speed", "1"), spelling)
        if settings:
            raise SourceError(f"{spelling}: no setting {next(iter(settings))}; there are size, frames, speed")
        self._surfaces = wall() if name == "wall" else street()
        step, turn = MOTIONS[name]
        self._step, self._turn = np.array(step) * self._speed, np.radians(turn) * self._speed
        self._rate = fps or Fraction(30)
        self.health = Health()
        self.info = SourceInfo(
            name=spelling,
            stem=f"demo_{name}",
            length=self._count,
            rate=self._rate,
            size=self._size,
            camera_matrix=matrix_from_fov(60, self._size),
        )

    def pose(self, index: int) -> Matrix:
        """(4, 4) camera to world: it moves along its first axes and turns about its own."""
        pose = np.eye(4)
        pose[:3, :3] = Rotation.from_rotvec(index * self._turn).as_matrix()
        pose[:3, 3] = index * self._step
        return pose

    def __iter__(self) -> Iterator[Frame]:
        assert self.info.camera_matrix is not None
        for index in range(self._count):
            pose = self.pose(index)
            image, depth = render(self._surfaces, pose, self.info.camera_matrix, self._size)
            self.health.decoded += 1
            yield Frame(index, image, index / self._rate, truth=View(pose, self.info.camera_matrix, depth))

    def close(self) -> None:
        """Nothing to release."""


def _parse(spelling: str) -> tuple[str, dict[str, str]]:
    """Split "demo:oblique,size=320x240" into its scene and its settings."""
    words = spelling.partition(":")[2].split(",")
    name = words.pop(0) if "=" not in words[0] else ""
    name = name or "forward"
    if name not in MOTIONS:
        raise SourceError(f"{spelling}: no scene {name}; there are {', '.join(MOTIONS)}")
    pairs = [word.partition("=") for word in words]
    return name, {key: value for key, _, value in pairs}


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
