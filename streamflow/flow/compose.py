"""Flow over several frames, from the flows between them."""

import numpy as np
from numpy.typing import NDArray

from streamflow.kernels.jit import inline_kernel, kernel

Vectors = NDArray[np.float32]


def chained(first: Vectors, second: Vectors) -> Vectors:
    """Flow along `first` and then along `second`, at every second pixel.

    The second is that of the nearest pixel: a flow to start from needs no more. Where the first leads out of
    the image, that is one of its border.

    Parameters
    ----------
    first, second : (H, W, 2), pixels.

    Returns
    -------
    (ceil(H / 2), ceil(W / 2), 2), still in full-size pixels.
    """
    height, width = first.shape[:2]
    vectors = np.empty((-(-height // 2), -(-width // 2), 2), np.float32)
    _chain(first.reshape(height, -1), second.reshape(-1), vectors.reshape(len(vectors), -1))
    return vectors


@kernel()
def _chain(first, second, vectors):
    """Write the flow; u and v in turn everywhere."""
    for row in range(len(vectors)):
        _chain_row(2 * row, first[2 * row], second, len(first), vectors[row])


@inline_kernel(noalias=True, fastmath=False)
def _chain_row(y, first, second, height, vectors):
    width, half, zero = len(first) // 2, np.float32(0.5), np.float32(0)
    right, bottom = np.float32(width - 1), np.float32(height - 1)
    for i in range(len(vectors) // 2):
        u, v = first[4 * i], first[4 * i + 1]
        column, row = np.float32(2 * i) + u + half, np.float32(y) + v + half
        column, row = column if column > zero else zero, row if row > zero else zero  # NaN, too
        column, row = column if column < right else right, row if row < bottom else bottom
        nearest = np.uint32(2 * (np.int32(row) * np.int32(width) + np.int32(column)))
        vectors[2 * i], vectors[2 * i + 1] = u + second[nearest], v + second[nearest + np.uint32(1)]
