"""Which cells belong together: a field of labels whose borders follow the edges of the image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streamflow.kernels.jit import inline_kernel, kernel
from streamflow.values import Map

COUPLING = 0.5  # log-odds that a neighbour of the same colour lends
ANYWAY = 0.1  # share of it that one across an edge lends
SWEEPS = 12


def mean_field(unary: Map, colour: NDArray[np.floating], contrast: float) -> Map:
    """Expected labels under a contrast-sensitive Ising field, by mean field on a chessboard.

    Parameters
    ----------
    unary : (h, w) log-odds of each cell for itself
    colour : (h, w, 3)
    contrast : difference of colours that counts as an edge

    Returns
    -------
    (h, w) from -1, background, to 1, moving.
    """
    mean = np.zeros((unary.shape[0] + 2, unary.shape[1] + 2), np.float32)
    mean[1:-1, 1:-1] = np.tanh(unary / 2)
    links, half = _links(colour, np.float32(0.5 / contrast**2)), (unary / 2).astype(np.float32)
    for _ in range(SWEEPS):
        _sweep(half, links, mean)
    return mean[1:-1, 1:-1].copy()


@kernel(fastmath=True)
def _links(colour, sharpness):
    """Half the coupling of each cell with the one right, and the three below left, below and below right.

    Shape (4, h + 2, w + 2): with a border of zeros, so that every cell has neighbours.
    """
    height, width, _ = colour.shape
    links = np.zeros((4, height + 2, width + 2), np.float32)
    for k in range(4):
        dy, dx = 1 if k > 0 else 0, 1 if k == 0 else k - 2
        near = np.float32(0.5 * COUPLING if k == 0 or k == 2 else 0.5 * COUPLING * np.sqrt(0.5))
        for y in range(height - dy):
            for x in range(1 if dx < 0 else 0, width - 1 if dx > 0 else width):
                d0 = colour[y, x, 0] - colour[y + dy, x + dx, 0]
                d1 = colour[y, x, 1] - colour[y + dy, x + dx, 1]
                d2 = colour[y, x, 2] - colour[y + dy, x + dx, 2]
                square = d0 * d0 + d1 * d1 + d2 * d2
                links[k, y + 1, x + 1] = near * (np.float32(ANYWAY) + np.exp(-sharpness * square))
    return links


@kernel(fastmath=True)
def _sweep(half, links, mean):
    """Renew the black and then the white fields of the board; `mean` has a border of zeros."""
    height, width = half.shape
    for black in range(2):
        for y in range(1, height + 1):
            for x in range(1 + (y + black) % 2, width + 1, 2):
                field = half[y - 1, x - 1]
                field += links[0, y, x] * mean[y, x + 1] + links[0, y, x - 1] * mean[y, x - 1]
                field += links[1, y, x] * mean[y + 1, x - 1] + links[1, y - 1, x + 1] * mean[y - 1, x + 1]
                field += links[2, y, x] * mean[y + 1, x] + links[2, y - 1, x] * mean[y - 1, x]
                field += links[3, y, x] * mean[y + 1, x + 1] + links[3, y - 1, x - 1] * mean[y - 1, x - 1]
                mean[y, x] = _tanh(field)


@inline_kernel()
def _tanh(x):
    """Pade's approximant, within .02."""
    x = min(max(x, np.float32(-3)), np.float32(3))
    return x * (np.float32(27) + x * x) / (np.float32(27) + np.float32(9) * x * x)
