"""Local normalisation: brightness and contrast taken out, so that a surface looks the same in both frames."""

import numpy as np

from streamflow.kernels.jit import inline_kernel, kernel

_REACH = 3
_COUNT = (2 * _REACH + 1) ** 2
CONTRAST_FLOOR = 3.0


@inline_kernel(noalias=True)
def _move_down(entering, leaving, columns, squares):
    """Move the sums over the window's rows, of I and of I^2, one row down."""
    for x in range(len(columns)):
        new, old = np.float32(entering[x]), np.float32(leaving[x])
        columns[x] += new - old
        squares[x] += new * new - old * old


@inline_kernel(noalias=True)
def _add_across(first, second, third, fourth, fifth, sixth, seventh, out):
    for x in range(len(out)):
        out[x] = first[x] + second[x] + third[x] + fourth[x] + fifth[x] + sixth[x] + seventh[x]


@inline_kernel()
def _sum_across(row, out):
    """Write the sums of seven; the row's margins are filled here."""
    width = len(out)
    for x in range(_REACH):
        row[x], row[_REACH + width + x] = row[_REACH], row[_REACH + width - 1]
    _add_across(row, row[1:], row[2:], row[3:], row[4:], row[5:], row[6:], out)


@inline_kernel(noalias=True)
def _normalise_row(grey, total, power, out):
    count, floor = np.float32(_COUNT), np.float32(_COUNT * CONTRAST_FLOOR)
    zero, most = np.float32(0), np.float32(255)
    for x in range(len(out)):
        spread = np.sqrt(max(count * power[x] - total[x] * total[x], zero)) + floor
        value = np.float32(20) * (count * np.float32(grey[x]) - total[x]) / spread
        out[x] = np.uint8(np.int32(min(max(value + np.float32(128.5), zero), most)))


@kernel("void(uint8[:,::1], uint8[:,::1])", fastmath=True)
def normalise(grey, out):
    """Write N = 128 + 20 (I - mean) / (std + 3) over 7x7 windows; border pixels are repeated outside.

    The sums are whole numbers below 2^24: exact in float32, however they are updated from row to row.

    Parameters
    ----------
    grey, out : ndarray, shape (H, W), uint8
    """
    height, width = grey.shape
    columns = np.zeros(width + 2 * _REACH, np.float32)
    squares = np.zeros(width + 2 * _REACH, np.float32)
    total, power = np.empty(width, np.float32), np.empty(width, np.float32)
    nothing = np.zeros(width, np.uint8)
    for y in range(-_REACH - 1, _REACH):
        _move_down(
            grey[min(max(y, 0), height - 1)], nothing, columns[_REACH:-_REACH], squares[_REACH:-_REACH]
        )
    for y in range(height):
        entering, leaving = grey[min(y + _REACH, height - 1)], grey[max(y - _REACH - 1, 0)]
        _move_down(entering, leaving, columns[_REACH:-_REACH], squares[_REACH:-_REACH])
        _sum_across(columns, total)
        _sum_across(squares, power)
        _normalise_row(grey[y], total, power, out[y])
