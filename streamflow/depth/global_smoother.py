"""Edge-aware smoothing of whole maps at once: weighted least squares, solved row by row and column by column.

D. Min et al. 2014, Fast global image smoothing based on weighted least squares, doi:10.1109/TIP.2014.2366600.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from streamflow.kernels.jit import inline_kernel, kernel
from streamflow.values import Image

Channels = NDArray[np.float32]  # (C, H, W)
ROUNDS = 3


def smooth_globally(channels: Channels, guide: Image, strength: float, contrast: float) -> Channels:
    """Smooth every channel by the same operator, which does not reach across the edges of the guide.

    Parameters
    ----------
    channels : (C, H, W)
    guide : (H, W) grey
    strength : lambda, of the first order smoothness against the data
    contrast : grey levels of a step across which the smoothness falls to 1/e

    Returns
    -------
    (C, H, W); a constant stays what it is.
    """
    smooth = channels.astype(np.float32)
    across = _similarity(guide.T, contrast)
    down = _similarity(guide, contrast)
    for i in range(ROUNDS):
        share = 1.5 * 4.0 ** (ROUNDS - 1 - i) / (4.0**ROUNDS - 1.0)  # equation 9
        turned = np.ascontiguousarray(smooth.transpose(0, 2, 1))
        _solve_columns(turned, np.float32(share * strength) * across)
        smooth = np.ascontiguousarray(turned.transpose(0, 2, 1))
        _solve_columns(smooth, np.float32(share * strength) * down)
    return smooth


def _similarity(guide: Image, contrast: float) -> NDArray[np.float32]:
    """Between each pixel and the one below, (H - 1, W)."""
    step = cv2.absdiff(np.ascontiguousarray(guide[1:]), np.ascontiguousarray(guide[:-1]))
    fall = np.exp(np.arange(256, dtype=np.float32) / np.float32(-contrast))
    return np.asarray(fall[step], np.float32)


@kernel()
def _solve_columns(channels, smoothness):
    """Solve (1 + L) u = f of every column in place, L the Laplacian of the smoothness: Thomas' algorithm."""
    count, height, width = channels.shape
    ahead = np.zeros((height, width), np.float32)  # of the eliminated system, entry above the diagonal
    pivot, above = np.empty(width, np.float32), np.zeros(width, np.float32)
    for y in range(height):
        below = smoothness[y] if y + 1 < height else np.zeros(width, np.float32)
        last = ahead[y - 1] if y else np.zeros(width, np.float32)
        _eliminate(above, below, last, pivot, ahead[y])
        for c in range(count):
            before = channels[c, y - 1] if y else np.zeros(width, np.float32)
            _forward(channels[c, y], before, above, pivot)
        above = below
    for y in range(height - 2, -1, -1):
        for c in range(count):
            _backward(channels[c, y], channels[c, y + 1], ahead[y])


@inline_kernel(noalias=True, fastmath=False)
def _eliminate(above, below, last, pivot, ahead):
    one = np.float32(1)
    for x in range(len(pivot)):
        pivot[x] = one / (one + above[x] + below[x] + above[x] * last[x])
        ahead[x] = -below[x] * pivot[x]


@inline_kernel(noalias=True, fastmath=False)
def _forward(row, before, above, pivot):
    for x in range(len(row)):
        row[x] = (row[x] + above[x] * before[x]) * pivot[x]


@inline_kernel(noalias=True, fastmath=False)
def _backward(row, after, ahead):
    for x in range(len(row)):
        row[x] -= ahead[x] * after[x]
