"""What a written video holds."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

CONTAINERS = ["out.mp4", "out.mkv", "out.webm"]


def times_in(path: str | Path) -> list[Fraction]:
    """When the pictures are shown; those before the damage, if the file was cut."""
    times = []
    with av.open(str(path)) as container, suppress(av.error.InvalidDataError):
        for frame in container.decode(video=0):
            times.append(Fraction(frame.pts) * Fraction(frame.time_base))
    return times


def top_level_boxes(path: str | Path) -> list[bytes]:
    data, names, position = Path(path).read_bytes(), [], 0
    while position < len(data):
        names.append(data[position + 4 : position + 8])
        position += int.from_bytes(data[position : position + 4], "big")
    return names


def pictures_in(path: str | Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
