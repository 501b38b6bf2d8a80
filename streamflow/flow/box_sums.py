"""Sums over 9x9 windows, row by row: nothing but a few rows is kept, and no running sum that could drift.

A sum of nine is three sums of three. Rows arrive one by one, of several quantities at a time: these lie end
to end in one long row, each between margins of four zeros, so that one loop serves them all. Outside the
image everything counts as zero: windows are cut at the borders.
"""

import numpy as np

from streamflow.kernels.jit import inline_kernel

RADIUS = 4
AREA = 81

_SPARE = 8  # behind the last quantity, so that loops are no shorter than they could be in whole vectors
_TRIPLES, _COLUMN, _PARTIAL, _ROWS = 3, 10, 11, 12


@inline_kernel(noalias=True)
def _add_down(first, second, third, middle, above, triple, column):
    for x in range(len(column)):
        triple[x] = first[x] + second[x] + third[x]
        column[x] = triple[x] + middle[x] + above[x]


@inline_kernel(noalias=True)
def _add_across(left, middle, right, out):
    """Add three views of one row: of one, the compiler would shuffle instead of loading."""
    for x in range(len(out) - _SPARE):
        out[x] = left[x] + middle[x] + right[x]


@inline_kernel()
def new_window_rows(quantities, width):
    """Return zeroed rows: the last three, seven sums of three, a sum of nine and its sums of three across."""
    return np.zeros((_ROWS, quantities * (width + 2 * RADIUS) + _SPARE), np.float32)


@inline_kernel()
def row_of(rows, y, quantity, width):
    """Return the place for row y of a quantity."""
    start = quantity * (width + 2 * RADIUS) + RADIUS
    return rows[y % 3, start : start + width]


@inline_kernel()
def rows_of(rows, y, width):
    """Return the places for row y of the first three quantities."""
    return row_of(rows, y, 0, width), row_of(rows, y, 1, width), row_of(rows, y, 2, width)


@inline_kernel()
def sum_windows(rows, newest):
    """Sum the windows centred on row newest - 4, once row `newest` is written; see `partial_sum`."""
    centre = newest + 6
    slot, middle, above = centre % 7, (centre + 4) % 7, (centre + 1) % 7
    column = rows[_COLUMN]
    _add_down(
        rows[0], rows[1], rows[2],
        rows[_TRIPLES + middle], rows[_TRIPLES + above], rows[_TRIPLES + slot], column,
    )  # fmt: skip
    _add_across(column, column[1:], column[2:], rows[_PARTIAL])


@inline_kernel()
def partial_sum(rows, quantity, width):
    """Return sums t of a third of each window: that around x is t[x] + t[x + 3] + t[x + 6]."""
    start = quantity * (width + 2 * RADIUS)
    return rows[_PARTIAL, start : start + width + 6]


@inline_kernel()
def partial_sums(rows, width):
    """Return `partial_sum` for the first three quantities."""
    return partial_sum(rows, 0, width), partial_sum(rows, 1, width), partial_sum(rows, 2, width)
