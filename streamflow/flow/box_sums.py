"""Sums over 9x9 windows, row by row: nothing but a few rows is kept, and no running sum that could drift.

A sum of nine is three sums of three. Rows arrive one by one; `raw` keeps the last three, `triple` the sums
of three of the last seven. Outside the image everything counts as zero, so windows are cut at the borders.
"""

import numpy as np

from streamflow.compiler import kernel

RADIUS = 4
AREA = 81


@kernel(fastmath=True)
def new_window_rows(quantities, width):
    """Return zeroed buffers raw, triple, column for `quantities` sums on rows of `width` pixels."""
    raw = np.zeros((quantities, 3, width), np.float32)
    triple = np.zeros((quantities, 7, width), np.float32)
    column = np.zeros((2, width + 2 * RADIUS), np.float32)
    return raw, triple, column


@kernel(fastmath=True)
def window_sum(raw, triple, column, quantity, newest, out):
    """Write into out[quantity] the 9x9 sums centred on row newest - 4, once row `newest` of raw is filled."""
    width = raw.shape[2]
    centre = newest + 6
    slot = centre % 7
    above, middle = (centre + 1) % 7, (centre + 4) % 7
    for x in range(width):
        triple[quantity, slot, x] = raw[quantity, 0, x] + raw[quantity, 1, x] + raw[quantity, 2, x]
    for x in range(width):
        column[0, x + RADIUS] = (
            triple[quantity, above, x] + triple[quantity, middle, x] + triple[quantity, slot, x]
        )
    for x in range(width + 6):
        column[1, x] = column[0, x] + column[0, x + 1] + column[0, x + 2]
    for x in range(width):
        out[quantity, x] = column[1, x] + column[1, x + 3] + column[1, x + 6]
