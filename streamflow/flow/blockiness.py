"""How much a codec has left of a frame: what stands out of its grid of 8x8 pixels.

Codecs transform, predict and smooth blocks; beside a block's border a picture is bent otherwise than within.
How far depends on the quantiser, and hardly on what is shown.
"""

import numpy as np
from numpy.typing import NDArray

from streamflow.kernels.jit import inline_kernel, kernel

_PERIOD = 8
_SMALLEST = 8 * _PERIOD  # pixels: with fewer, chance would be taken for a grid
_STRONGEST = 20  # grey levels: a stronger bend is an edge of the scene


def blockiness(grey: NDArray[np.uint8]) -> float:
    """Return the relative spread of second differences over the places in a grid of 8 pixels; 0 without one.

    What no grid explains is taken out: the spread over periods that no codec has, of a pixel less and more.
    Where the grid begins does not matter.

    Parameters
    ----------
    grey : ndarray, shape (H, W), uint8
    """
    if min(grey.shape) < _SMALLEST:
        return 0.0
    height, width = grey.shape
    columns, rows = np.zeros(width - 2, np.int32), np.zeros(height - 2, np.int32)
    _sum_bends(grey, columns, rows)
    excess = (_excess(columns) + _excess(rows)) / 2
    return float(np.sqrt(max(excess, 0.0)))


def _excess(bends: NDArray[np.int32]) -> float:
    return _spread(bends, _PERIOD) - max(_spread(bends, _PERIOD - 1), _spread(bends, _PERIOD + 1))


def _spread(bends: NDArray[np.int32], period: int) -> float:
    """Relative variance over the places in the period."""
    means = bends[: len(bends) // period * period].reshape(-1, period).mean(axis=0)
    return float(means.var() / max(means.mean(), 1e-9) ** 2)


@inline_kernel()
def _bend(before, here, after):
    """Limited second difference; every step in 32 bits, of which vector instructions take eight at once."""
    twice = np.int32(np.int32(here) + np.int32(here))
    bend = np.int32(np.int32(before) + np.int32(after) - twice)
    return min(np.int32(abs(bend)), np.int32(_STRONGEST))


@inline_kernel(noalias=True)
def _bends_across(left, row, right, columns):
    for x in range(len(columns)):
        columns[x] = np.int32(columns[x] + _bend(left[x], row[x], right[x]))


@inline_kernel(noalias=True)
def _bends_down(above, row, below):
    total = np.int32(0)
    for x in range(len(row)):
        total = np.int32(total + _bend(above[x], row[x], below[x]))
    return total


@kernel("void(uint8[:,::1], int32[::1], int32[::1])")
def _sum_bends(grey, columns, rows):
    """Add the second differences along x to their columns, along y to their rows; each of limited size."""
    for y in range(1, len(grey) - 1):
        row = grey[y]
        _bends_across(row, row[1:], row[2:], columns)
        rows[y - 1] = _bends_down(grey[y - 1], grey[y], grey[y + 1])
