"""Images of the user's own, at the door: arrays of RGB or grey become frames of the stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from streamflow.errors import UsageError
from streamflow.flow.engine import SMALLEST
from streamflow.values import Frame, Image


def frames(images: Iterable[Frame | ArrayLike]) -> Iterator[Frame]:
    """Return frames as they are, and arrays as frames without a clock, in order."""
    if isinstance(images, str):
        raise UsageError(f"{images!r} is a name, not images: open it first, with streamflow.open")
    return _each(images)


def _each(images: Iterable[Frame | ArrayLike]) -> Iterator[Frame]:
    for index, image in enumerate(images):
        yield image if isinstance(image, Frame) else Frame(index, bgr(image))


def bgr(image: ArrayLike) -> Image:
    """Return an image as the program has it inside.

    Parameters
    ----------
    image : array_like, shape (H, W) or (H, W, 3)
        Grey or RGB; uint8, or floating point from 0 to 1.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
        BGR. The caller's own.

    Raises
    ------
    UsageError
        It has another shape or type, or values outside.
    """
    array = np.asarray(image)
    if array.ndim not in (2, 3) or array.shape[2:] not in ((), (3,)):
        raise UsageError(f"an image is (H, W) grey or (H, W, 3) RGB, not an array of shape {array.shape}")
    if min(array.shape[:2]) < SMALLEST:
        raise UsageError(f"an image is at least {SMALLEST}x{SMALLEST} pixels, not of shape {array.shape}")
    conversion = cv2.COLOR_GRAY2BGR if array.ndim == 2 else cv2.COLOR_RGB2BGR
    return np.asarray(cv2.cvtColor(_uint8(array), conversion), np.uint8)


def _uint8(array: NDArray[Any]) -> Image:
    if array.dtype == np.uint8:
        return np.asarray(array, np.uint8)
    if not np.issubdtype(array.dtype, np.floating):
        raise UsageError(f"an image is uint8, or floating point from 0 to 1, not {array.dtype}: convert it")
    if not (array.min() >= 0 and array.max() <= 1):  # NaN is neither
        raise UsageError("an image of floating point has values from 0 to 1: scale it, e.g. divide by 255")
    return np.asarray(np.rint(255 * array), np.uint8)
