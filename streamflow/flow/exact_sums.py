"""Sums over 5x5 windows, row by row, without a rounding error.

Derivatives of 8-bit images are whole multiples of 2^-11: their products, and any sum of these, have digits
to spare in double precision. So a running sum is exact, and a straight edge has a determinant of zero, not
of rounding. Rows of several quantities lie end to end, each between margins of two zeros, so that one loop
serves them all. Outside the image everything counts as zero: windows are cut at the borders.
"""

import numpy as np

from streamflow.kernels.jit import inline_kernel

RADIUS = 2
SIDE = 2 * RADIUS + 1
_KEPT = SIDE + 1
_COLUMN, _SUMS = _KEPT, _KEPT + 1


@inline_kernel(noalias=True)
def _slide(entering, leaving, column):
    for x in range(len(column)):
        column[x] += entering[x] - leaving[x]


@inline_kernel(noalias=True)
def _add_across(first, second, third, fourth, fifth, out):
    for x in range(len(fifth)):
        out[x] = first[x] + second[x] + third[x] + fourth[x] + fifth[x]


@inline_kernel()
def new_exact_rows(quantities, width):
    """Return zeroed rows: the last six, the sum of five, and its sums of five."""
    return np.zeros((_KEPT + 2, quantities * (width + 2 * RADIUS)))


@inline_kernel()
def exact_row(rows, y, quantity, width):
    """Return the place for row y of a quantity."""
    start = quantity * (width + 2 * RADIUS) + RADIUS
    return rows[y % _KEPT, start : start + width]


@inline_kernel()
def exact_rows_of(rows, y, width):
    """Return the places for row y of the first three quantities."""
    return exact_row(rows, y, 0, width), exact_row(rows, y, 1, width), exact_row(rows, y, 2, width)


@inline_kernel()
def sum_exactly(rows, newest, height):
    """Sum the windows centred on row newest - 2, once row `newest`, of so many, is written."""
    if newest >= height:
        rows[newest % _KEPT] = 0
    column = rows[_COLUMN]
    _slide(rows[newest % _KEPT], rows[(newest + 1) % _KEPT], column)
    _add_across(column, column[1:], column[2:], column[3:], column[4:], rows[_SUMS])


@inline_kernel()
def window_sum(rows, quantity, width):
    """Return the sums of a quantity over the windows of a row."""
    start = quantity * (width + 2 * RADIUS)
    return rows[_SUMS, start : start + width]


@inline_kernel()
def window_sums(rows, width):
    """Return `window_sum` of the first three quantities."""
    return window_sum(rows, 0, width), window_sum(rows, 1, width), window_sum(rows, 2, width)
