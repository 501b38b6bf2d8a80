"""The spatiotemporal derivatives Ix, Iy, It of a pair, by separable convolution."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from streamflow.values import Image, Map

# Derivative of a ramp of slope 1 is 1; smoothing of a constant is that constant.
SMOOTHING = np.array([1, 6, 15, 20, 15, 6, 1], np.float32) / 64
DERIVATIVE = np.array([1, 4, 5, 0, -5, -4, -1], np.float32) / 32


def space_derivatives(grey: Image) -> tuple[Map, Map]:
    """Ix and Iy of one image.

    Parameters
    ----------
    grey : ndarray of uint8, shape (H, W)

    Returns
    -------
    ix, iy : ndarray of float32, shape (H, W)
        Grey levels per pixel. The image is continued by reflection about its edge.
    """
    return _convolve(grey, DERIVATIVE, SMOOTHING), _convolve(grey, SMOOTHING, DERIVATIVE)


def time_derivative(reference: Image, target: Image) -> Map:
    """It from the reference to the target, both smoothed as for Ix and Iy.

    Returns
    -------
    it : ndarray of float32, shape (H, W)
        Grey levels per frame.
    """
    return np.asarray(
        _convolve(target, SMOOTHING, SMOOTHING) - _convolve(reference, SMOOTHING, SMOOTHING), np.float32
    )


def _convolve(grey: Image, along_x: NDArray[np.float32], along_y: NDArray[np.float32]) -> Map:
    """Convolve the rows with one kernel, the columns with the other: OpenCV correlates, so both are flipped."""
    filtered = cv2.sepFilter2D(grey, cv2.CV_32F, along_x[::-1], along_y[::-1], borderType=cv2.BORDER_REFLECT)
    return np.asarray(filtered, np.float32)
