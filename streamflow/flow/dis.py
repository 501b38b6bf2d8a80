"""A seed for large motion: dense inverse search (DIS) on a small image."""

import cv2
import numpy as np
from numpy.typing import NDArray

SMALLEST = 48


class DenseInverseSearch:
    """OpenCV's DIS with our settings: it stops at half size, and leaves smoothing to Lucas-Kanade and planes.

    References
    ----------
    T. Kroeger et al., Fast optical flow using dense inverse search, ECCV 2016,
    doi:10.1007/978-3-319-46493-0_29.
    """

    def __init__(self) -> None:
        self._dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        self._dis.setFinestScale(1)
        self._dis.setGradientDescentIterations(16)
        self._dis.setVariationalRefinementIterations(0)

    def __call__(
        self, reference: NDArray[np.uint8], target: NDArray[np.uint8], out: NDArray[np.float32]
    ) -> None:
        """Write the flow, (2, H, W) pixels, between two grey images of at least 48 pixels."""
        vectors = self._dis.calc(reference, target, None)  # type: ignore[call-overload]
        out[0], out[1] = vectors[..., 0], vectors[..., 1]
