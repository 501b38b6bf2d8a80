"""Rendered frames of things that move by themselves, before a camera that rests or goes straight on."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from sources.scenes.worlds import Mover, road
from streamflow.evaluation.scene import placed, shade, trace
from streamflow.geometry.camera import matrix_from_fov
from streamflow.values import Frame, FrameTruth, SourceInfo

SIZE = (427, 321)
CAMERA = matrix_from_fov(60, SIZE)
RATE = 30  # frames a second
INFO = SourceInfo("road", "road", size=SIZE, camera_matrix=CAMERA)


def filmed(movers: Sequence[Mover], frames: int, speed: float = 0.0) -> list[Frame]:
    """What a camera sees that goes ahead by `speed` world units a frame along the road."""
    found = []
    for i in range(frames):
        pose = np.eye(4)
        pose[2, 3] = speed * i
        surfaces = road()
        for label, mover in enumerate(movers, start=1):
            surfaces += placed(mover.surfaces(), i * np.array(mover.velocity), label)
        hits = trace(surfaces, pose, CAMERA, SIZE)
        truth = FrameTruth(pose, CAMERA, hits.depth, labels=hits.labels(surfaces))
        found.append(Frame(i, shade(surfaces, hits, pose, CAMERA), Fraction(i, RATE), truth=truth))
    return found
