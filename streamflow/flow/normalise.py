"""Local normalisation: brightness and contrast taken out, so that the same surface looks the same in both frames."""

import cv2
import numpy as np
from numpy.typing import NDArray

from streamflow.flow.compiler import kernel

_SIZE = (7, 7)


@kernel("void(uint8[:,::1], float32[:,::1], float32[:,::1], uint8[:,::1])")
def _standardise(grey, mean, mean_of_squares, out):
    height, width = grey.shape
    for y in range(height):
        for x in range(width):
            variance = max(mean_of_squares[y, x] - mean[y, x] * mean[y, x], np.float32(0))
            value = np.float32(20) * (grey[y, x] - mean[y, x]) / (np.sqrt(variance) + np.float32(6))
            out[y, x] = np.uint8(min(max(value + np.float32(128.5), np.float32(0)), np.float32(255)))


def normalise(
    grey: NDArray[np.uint8], mean: NDArray[np.float32], squares: NDArray[np.float32], out: NDArray[np.uint8]
) -> None:
    """Write N = 128 + 20 (I - mean) / (std + 6) over 7x7 windows, as 8 bit.

    Parameters
    ----------
    grey, out : ndarray, shape (H, W), uint8
    mean, squares : ndarray, shape (H, W), float32
        Scratch.
    """
    cv2.boxFilter(grey, cv2.CV_32F, _SIZE, dst=mean)
    cv2.sqrBoxFilter(grey, cv2.CV_32F, _SIZE, dst=squares)
    _standardise(grey, mean, squares, out)
