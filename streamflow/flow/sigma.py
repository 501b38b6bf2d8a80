"""The predicted error of the flow, in pixels."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from streamflow.flow.box_sums import AREA
from streamflow.flow.candidates import distance

_NEIGHBOURHOOD = (15, 15)
_SURROUNDINGS = (31, 31)
_SMALL = (7, 7)
_WINDOW = np.ones((9, 9), np.uint8)
_MOSTLY = 0.5
# Squared grey levels, pixels, pixels, a share: keep the logarithms finite
_LEAST_TEXTURE, _LEAST_APART, _LEAST_UNREST, _LEAST_BLOCKINESS = 0.02, 0.2, 0.01, 0.01
_SSD, _TEXTURE, _APART, _APART_TEXTURE, _UNREST_BLOCKS, _COPIED = 0.11, -0.583, 0.312, -0.05, -0.218, 1.95


def disagreement(flow: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the distance of two candidate flows (2, H, W), averaged over 15x15 pixels.

    Where two methods that fail differently agree, both are likely right.
    """
    # Not cv2.magnitude: its last bit depends on where the arrays lie in memory. Not hypot: far slower.
    apart = np.empty(flow.shape[1:], np.float32)
    distance(flow, other, apart)
    return np.asarray(cv2.blur(apart, _NEIGHBOURHOOD), np.float32)


def unrest(flow: NDArray[np.float32]) -> NDArray[np.float32]:
    """Root mean square distance of a flow (H, W, 2) from its mean, both over 7x7 pixels, (H, W)."""
    squares = np.square(flow - cv2.blur(flow, _SMALL))
    return np.asarray(np.sqrt(cv2.blur(squares[..., 0] + squares[..., 1], _SMALL)), np.float32)


def copied(reference: NDArray[np.uint8], target: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return where the 9x9 window about a pixel is identical in both images; nowhere if that is most of them.

    A sensor never repeats itself exactly; a codec does where it cannot afford to send what changed.
    """
    identical = cv2.dilate(cv2.absdiff(reference, target), _WINDOW) == 0
    return np.asarray(identical & (np.count_nonzero(identical) <= _MOSTLY * identical.size))


@dataclass(frozen=True)
class Evidence:
    """What tells of the error of a flow; maps are (H, W) of half the size, sums over 9x9 windows."""

    ssd: NDArray[np.float32]
    """Squared normalised grey levels."""
    smallest_eigenvalue: NDArray[np.float32]
    """Of the normal matrix, squared normalised grey levels: texture."""
    apart: NDArray[np.float32]
    """See `disagreement`, pixels of half the size."""
    unrest: NDArray[np.float32]
    """See `unrest`, pixels of half the size."""
    copied: NDArray[np.bool_]
    blockiness: float
    """Of the two frames; see `blockiness`."""


def predict_error(evidence: Evidence, constant: float) -> NDArray[np.float32]:
    """Predict the standard deviation of each component of the flow's error, pixels of the whole size, (H, W).

    Its logarithm is a weighted sum of the logarithms of the evidence: the error grows with what the windows
    leave unexplained, and falls with the texture around. Two candidates that disagree tell the more the less
    texture decides between them; a flow that is not at rest in itself the less the more the codec took away;
    and of what was copied nothing is known.
    Fitted by least absolute deviations on pairs with known flow, as they are, as JPEG, and through H.264 at
    crf 18 to 33; of two Gaussian components the median length is 1.18 of their standard deviations.

    Parameters
    ----------
    evidence : Evidence
    constant : float
        Of the sum; it differs by how the flow is estimated.
    """
    blocks = float(np.log(evidence.blockiness + _LEAST_BLOCKINESS))
    around = np.asarray(cv2.blur(evidence.smallest_eigenvalue, _SURROUNDINGS), np.float32)
    texture = _logarithm(around, 1 / AREA, _LEAST_TEXTURE)
    apart = _logarithm(evidence.apart, 1.0, _LEAST_APART)
    apart *= _APART + _APART_TEXTURE * texture
    logarithm = _logarithm(evidence.ssd, 1 / AREA, 1.0)
    rest = _logarithm(evidence.unrest, 1.0, _LEAST_UNREST)
    cv2.addWeighted(logarithm, _SSD, texture, _TEXTURE, constant, dst=logarithm)
    cv2.scaleAdd(rest, _UNREST_BLOCKS * blocks, logarithm, dst=logarithm)
    logarithm += apart
    logarithm[evidence.copied] += _COPIED
    return np.asarray(cv2.exp(logarithm, dst=logarithm), np.float32)


def first_guess(
    ssd: NDArray[np.float32], smallest_eigenvalue: NDArray[np.float32], apart: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Predict the median length of the error while the flow is still under way; see `Evidence`."""
    logarithm = _logarithm(ssd, 1 / AREA, 1.0)
    texture = _logarithm(smallest_eigenvalue, 1 / AREA, 0.25)
    cv2.addWeighted(logarithm, 0.29, texture, -0.35, 0.40, dst=logarithm)
    cv2.scaleAdd(_logarithm(apart, 1.0, 0.05), 0.83, logarithm, dst=logarithm)
    return np.asarray(cv2.exp(logarithm, dst=logarithm), np.float32)


def _logarithm(values: NDArray[np.float32], share: float, least: float) -> NDArray[np.float32]:
    """Return log(share * values + least), by OpenCV: half the time of NumPy, and one array is enough."""
    out = np.multiply(values, np.float32(share))
    out += np.float32(least)
    return np.asarray(cv2.log(out, dst=out), np.float32)
