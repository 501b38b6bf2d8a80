"""Optical flow as KITTI's 16-bit PNG (Geiger et al. 2012): channels u, v, valid."""

from __future__ import annotations

import cv2
import numpy as np

from streamflow.values import Mask, Vectors

STEPS = 64  # stored steps a pixel
ZERO = 2**15  # what a component of zero is stored as
END = b"IEND\xaeB`\x82"  # of every whole PNG; OpenCV would restore a part, in silence
LARGEST = (2**16 - 1 - ZERO) / STEPS  # pixels, the largest component that fits


def encode(vectors: Vectors, valid: Mask) -> bytes:
    """PNG of `vectors` where `valid`, zeros elsewhere.

    Parameters
    ----------
    vectors : ndarray of float32, shape (H, W, 2)
        Pixels; at most `LARGEST` where valid.
    valid : ndarray of bool, shape (H, W)
    """
    stored = np.rint(np.where(valid[..., None], vectors, 0) * STEPS + ZERO) * valid[..., None]
    u, v = np.moveaxis(stored, 2, 0)
    picture = np.dstack([valid, v, u]).astype(np.uint16)  # OpenCV turns the channels round
    return cv2.imencode(".png", picture)[1].tobytes()


def decode(data: bytes) -> Vectors:
    """Flow (H, W, 2) in pixels, NaN where it is not valid.

    Raises
    ------
    ValueError
        `data` is not a whole PNG with 16 bits and three channels.
    """
    whole = data.endswith(END)
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED) if whole else None
    if picture is None or picture.dtype != np.uint16 or picture.ndim != 3 or picture.shape[2] != 3:
        raise ValueError("not a KITTI flow file: a whole PNG with 16 bits and three channels is expected")
    vectors = (picture[..., :0:-1].astype(np.float32) - ZERO) / STEPS
    vectors[picture[..., 0] == 0] = np.nan
    return vectors
