"""Flow over several frames, from the flows between them."""

import cv2
import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


def halved(vectors: Vectors) -> Vectors:
    """The vectors of every second pixel, (ceil(H / 2), ceil(W / 2), 2), still in full-size pixels."""
    return np.ascontiguousarray(vectors[::2, ::2])


def chained(first: Vectors, second: Vectors) -> Vectors:
    """Flow along `first` and then along `second`, all three of every second pixel.

    Where the first leads out of the image, the second is taken from its border.
    """
    height, width = first.shape[:2]
    x = np.arange(width, dtype=np.float32) + first[..., 0] / 2
    y = np.arange(height, dtype=np.float32)[:, None] + first[..., 1] / 2
    return np.asarray(first + cv2.remap(second, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
