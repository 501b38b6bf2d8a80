"""What rs-enumerate-devices -c prints: the cameras of a RealSense device, one block for each size."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sources.calibration.keyed import cameras
from streamflow.geometry.camera import Calibration

PAIR = re.compile(r"^\s*(Width|Height|PPX|PPY|Fx|Fy|Distortion|Coeffs):\s*(.*?)\s*$", re.MULTILINE)


def cameras_of_realsense(text: str, name: str) -> Iterator[Calibration]:
    """Cameras of every block that tells a principal point."""
    for i, block in enumerate(re.split(r"^(?=\s*Width:)", text, flags=re.MULTILINE)):
        pairs = re.findall(
            r"^\s*(Width|Height|PPX|PPY|Fx|Fy|Distortion|Coeffs):\s*(.*?)\s*$", block, re.MULTILINE
        )
        keys = {key: _number(value) for key, value in pairs}
        yield from cameras(keys, f"{name}#{i}")


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
