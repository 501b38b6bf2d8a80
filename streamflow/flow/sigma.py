"""The predicted error of the flow, in pixels."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from streamflow.flow.box_sums import AREA
from streamflow.flow.candidates import distance

_NEIGHBOURHOOD = (15, 15)
_SURROUNDINGS = (31, 31)
_LEAST_TEXTURE, _LEAST_APART = 0.25, 0.05  # squared grey levels, pixels: keep the logarithms finite


def disagreement(flow: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the distance of two candidate flows (2, H, W), averaged over 15x15 pixels.

    Where two methods that fail differently agree, both are likely right.
    """
    # Not cv2.magnitude: its last bit depends on where the arrays lie in memory. Not hypot: far slower.
    apart = np.empty(flow.shape[1:], np.float32)
    distance(flow, other, apart)
    return np.asarray(cv2.blur(apart, _NEIGHBOURHOOD), np.float32)


@dataclass(frozen=True)
class ErrorModel:
    """The logarithm of the error as a sum: constant, and powers of the ssd, textures and disagreement."""

    constant: float
    ssd: float
    texture: float
    texture_around: float
    apart: float


WITHOUT_PLANES = ErrorModel(constant=0.40, ssd=0.29, texture=-0.35, texture_around=0, apart=0.83)
"""For the better of two candidates, and where the last iteration's change stands in for a second one."""
WITH_PLANES = ErrorModel(constant=-0.50, ssd=0.57, texture=-0.40, texture_around=-0.31, apart=0.50)
"""For the flow at half size, once planes have taken their part."""


def predict_error(
    ssd: NDArray[np.float32],
    smallest_eigenvalue: NDArray[np.float32],
    apart: NDArray[np.float32],
    model: ErrorModel,
) -> NDArray[np.float32]:
    """Predict the median length of the flow's error, pixels of twice the size.

    A product of powers, fitted by least absolute deviations of the logarithm on pairs with known flow:
    it grows with the ssd per pixel and the candidates' disagreement and falls with the weakest texture,
    that of the window and that of the surroundings.

    Parameters
    ----------
    ssd, smallest_eigenvalue : ndarray, shape (H, W)
        Sums over 9x9 windows, squared normalised grey levels.
    apart : ndarray, shape (H, W)
        See `disagreement`, pixels.

    Returns
    -------
    ndarray, shape (H, W)
    """
    logarithm = _logarithm(ssd, 1 / AREA, 1.0)
    texture = _logarithm(smallest_eigenvalue, 1 / AREA, _LEAST_TEXTURE)
    cv2.addWeighted(logarithm, model.ssd, texture, model.texture, model.constant, dst=logarithm)
    if model.texture_around:
        around = np.asarray(cv2.blur(smallest_eigenvalue, _SURROUNDINGS, dst=texture), np.float32)
        around = _logarithm(around, 1 / AREA, _LEAST_TEXTURE)
        cv2.scaleAdd(around, model.texture_around, logarithm, dst=logarithm)
    cv2.scaleAdd(_logarithm(apart, 1.0, _LEAST_APART), model.apart, logarithm, dst=logarithm)
    return np.asarray(cv2.exp(logarithm, dst=logarithm), np.float32)


def _logarithm(values: NDArray[np.float32], share: float, least: float) -> NDArray[np.float32]:
    """Return log(share * values + least), by OpenCV: half the time of NumPy, and one array is enough."""
    out = np.multiply(values, np.float32(share))
    out += np.float32(least)
    return np.asarray(cv2.log(out, dst=out), np.float32)
