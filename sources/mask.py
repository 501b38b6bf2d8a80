"""A mask from an image file: black is not looked at."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from streamflow.errors import UsageError
from streamflow.picture_mask import PictureMask


def read_mask(spec: str) -> PictureMask:
    """Read a mask.

    Raises
    ------
    UsageError
        There is no such file, it is no image, or everything in it is black.
    """
    path = Path(spec)
    if not path.is_file():
        raise UsageError(f"--mask {spec}: no such file; give an image, black where not to look")
    grey = cv2.imdecode(np.frombuffer(path.read_bytes() or b" ", np.uint8), cv2.IMREAD_GRAYSCALE)
    if grey is None:
        raise UsageError(f"--mask {spec}: is not an image; give one, black where not to look")
    if not grey.any():
        raise UsageError(f"--mask {spec}: is all black: nothing is left to look at")
    return PictureMask(grey == 0, path.name)
