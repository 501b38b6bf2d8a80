"""OpenCV's dense flow, so that anyone can check our claims against it."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import cv2
import numpy as np

from streamflow.values import Image, Map, Vectors


@lru_cache
def _dis(preset: int) -> cv2.DISOpticalFlow:
    return cv2.DISOpticalFlow.create(preset)


def _dense_inverse_search(preset: int) -> Callable[[Image, Image], Vectors]:
    """T. Kroeger et al., "Fast optical flow using dense inverse search", ECCV 2016."""
    # A flow handed in would be taken as the start of the search.
    return lambda reference, target: np.asarray(_dis(preset).calc(reference, target, None))  # type: ignore[call-overload]


def _farneback(reference: Image, target: Image) -> Vectors:
    """G. Farneback, "Two-frame motion estimation based on polynomial expansion", SCIA 2003."""
    flow = np.zeros((*reference.shape, 2), np.float32)
    return np.asarray(cv2.calcOpticalFlowFarneback(reference, target, flow, 0.5, 5, 15, 3, 5, 1.1, 0))


class PeerFlow:
    """A peer in the place of the flow engine; it does not predict its error."""

    def __init__(self, name: str) -> None:
        self._method = PEERS[name]

    def prepare(self, grey: Image) -> Image:
        """Return the frame itself: nothing is shared between its two pairs."""
        return grey

    def flow(self, reference: Image, target: Image, start: Vectors | None = None) -> tuple[Vectors, Map]:
        """Return vectors, and a sigma that is NaN everywhere; every pair is searched anew."""
        return self._method(reference, target), np.full(reference.shape, np.nan, np.float32)


PEERS: dict[str, Callable[[Image, Image], Vectors]] = {
    "dis-ultrafast": _dense_inverse_search(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST),
    "dis-fast": _dense_inverse_search(cv2.DISOPTICAL_FLOW_PRESET_FAST),
    "dis-medium": _dense_inverse_search(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM),
    "farneback": _farneback,
}
