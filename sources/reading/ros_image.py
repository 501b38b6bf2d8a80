"""Pictures in the messages of ROS, raw or compressed."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from sources.reading.image_file import Pages, Unreadable

# Encoding: type of a value, values a pixel, and how to make grey or BGR of them.
ENCODINGS: dict[str, tuple[str, int, int | None]] = {
    "mono8": ("u1", 1, None),
    "8UC1": ("u1", 1, None),
    "bgr8": ("u1", 3, None),
    "8UC3": ("u1", 3, None),
    "rgb8": ("u1", 3, cv2.COLOR_RGB2BGR),
    "bgra8": ("u1", 4, cv2.COLOR_BGRA2BGR),
    "8UC4": ("u1", 4, cv2.COLOR_BGRA2BGR),
    "rgba8": ("u1", 4, cv2.COLOR_RGBA2BGR),
    "bayer_rggb8": ("u1", 1, cv2.COLOR_BayerRGGB2BGR),
    "bayer_bggr8": ("u1", 1, cv2.COLOR_BayerBGGR2BGR),
    "bayer_gbrg8": ("u1", 1, cv2.COLOR_BayerGBRG2BGR),
    "bayer_grbg8": ("u1", 1, cv2.COLOR_BayerGRBG2BGR),
    "yuv422": ("u1", 2, cv2.COLOR_YUV2BGR_UYVY),
    "uyvy": ("u1", 2, cv2.COLOR_YUV2BGR_UYVY),
    "yuv422_yuy2": ("u1", 2, cv2.COLOR_YUV2BGR_YUY2),
    "yuyv": ("u1", 2, cv2.COLOR_YUV2BGR_YUY2),
    "mono16": ("u2", 1, None),
    "16UC1": ("u2", 1, None),
    "bgr16": ("u2", 3, None),
    "rgb16": ("u2", 3, cv2.COLOR_RGB2BGR),
    "32FC1": ("f4", 1, None),
}


def pixels_of(message: Any) -> NDArray[Any]:
    """(H, W) grey or (H, W, 3) BGR of a sensor_msgs/Image or CompressedImage, as deep as it is.

    Raises
    ------
    Unreadable
        It is damaged, or of a kind that is not known here.
    """
    if not hasattr(message, "encoding"):
        return Pages(bytes(message.data)).read(0).pixels
    if message.encoding not in ENCODINGS:
        raise Unreadable(f"pictures of encoding {message.encoding} are not known here")
    kind, channels, conversion = ENCODINGS[message.encoding]
    values = _values(message, np.dtype(kind), channels)
    return values if conversion is None else np.asarray(cv2.cvtColor(values, conversion))


def _values(message: Any, kind: np.dtype[Any], channels: int) -> NDArray[Any]:
    """(H, W) or (H, W, channels); rows may be padded to `step` bytes."""
    height, width, step = message.height, message.width, message.step
    row = width * channels * kind.itemsize
    data = np.asarray(message.data, np.uint8)
    if not row or step < row or len(data) < height * step:
        raise Unreadable("holds fewer bytes than its size needs")
    rows = np.ascontiguousarray(data[: height * step].reshape(height, step)[:, :row])
    values = rows.view(kind.newbyteorder(">" if message.is_bigendian else "<")).astype(kind, copy=False)
    return values if channels == 1 else values.reshape(height, width, channels)
