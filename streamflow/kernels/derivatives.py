"""The spatiotemporal derivatives Ix, Iy, It of a pair, by separable convolution."""

from __future__ import annotations

import cv2
import numpy as np

from streamflow.values import FramePair, Image, Map, Matrix

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
    before, after = (_convolve(grey, SMOOTHING, SMOOTHING) for grey in (reference, target))
    return np.subtract(after, before)


def pair_derivatives(pair: FramePair) -> tuple[Map, Map, Map]:
    """Ix and Iy of the reference image, and It from there to the target."""
    reference, target = pair.reference.grey, pair.target.grey
    return *space_derivatives(reference), time_derivative(reference, target)


def _convolve(grey: Image, along_x: Matrix, along_y: Matrix) -> Map:
    """Convolve rows and columns; OpenCV correlates, so the kernels are flipped."""
    filtered = cv2.sepFilter2D(grey, cv2.CV_32F, along_x[::-1], along_y[::-1], borderType=cv2.BORDER_REFLECT)
    return np.asarray(filtered, np.float32)
