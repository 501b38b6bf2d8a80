"""How much a video codec took away from a frame: what stands out of its grid of 16x16 pixels.

Video codecs predict pictures in blocks of 16 or more; beside such a block's border a picture is bent
otherwise than within. How far depends on the quantiser, and little on what is shown.
"""

import numpy as np
from numpy.typing import NDArray

from streamflow.kernels.jit import inline_kernel, kernel

_PERIOD = 16
_SMALLEST = 8 * _PERIOD  # pixels: with fewer, chance would be taken for a grid
_STRONGEST = 20  # grey levels: a stronger bend is an edge of the scene


def blockiness(grey: NDArray[np.uint8]) -> float:
    """Return the relative spread of second differences over the places in a grid of 16 pixels; 0 without one.

    What a grid of 8 pixels explains is left out: JPEG has that one, and copies nothing from picture to
    picture. So is what chance explains, as periods show that no codec has. Where the grid begins does not
    matter.

    Parameters
    ----------
    grey : ndarray, shape (H, W), uint8
    """
    height, width = grey.shape
    if min(height, width) < _SMALLEST:
        return 0.0
    columns, rows = np.zeros(width - 2, np.int32), np.zeros(height - 2, np.int32)
    _sum_bends(grey, columns, rows)
    return float(np.sqrt(max((_excess(columns) + _excess(rows)) / 2, 0.0)))


def _excess(bends: NDArray[np.int32]) -> float:
    by_chance = (_spread(bends, _PERIOD - 1) + _spread(bends, _PERIOD + 1)) / 4  # 8 of 16 degrees of freedom
    return _spread(bends, _PERIOD) - _spread(bends, _PERIOD // 2) - by_chance


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
