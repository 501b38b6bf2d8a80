"""Sums of products over 5x5 windows, row by row, without a rounding error.

Derivatives of 8-bit images are whole multiples of 2^-11: their products, and any sum of these, have digits
to spare in double precision. So a running sum is exact, and a straight edge has a determinant of zero, not
of rounding. Sums over the columns of the windows lie end to end, those of each product between margins of two
zeros, so that one loop serves them all. Outside the image everything counts as zero: windows are cut at the
borders.
"""

import numpy as np

from streamflow.kernels.jit import inline_kernel

RADIUS = 2
SIDE = 2 * RADIUS + 1


@inline_kernel()
def new_column_sums(products, width):
    """Return zeroed rows: sums over the columns of the windows, and over the windows."""
    return np.zeros((2, products * (width + 2 * RADIUS)))


@inline_kernel()
def column_sum(sums, product, width):
    """Return the place for the column sums of a product."""
    start = product * (width + 2 * RADIUS) + RADIUS
    return sums[0, start : start + width]


@inline_kernel()
def window_sum(sums, product, width):
    """Return the sums of a product over the windows of a row."""
    start = product * (width + 2 * RADIUS)
    return sums[1, start : start + width]


@inline_kernel()
def row_or_zeros(image, y, zeros):
    """Return a row of an image, zeros outside."""
    return image[y] if 0 <= y < len(image) else zeros


@inline_kernel(noalias=True)
def slide(first, second, old_first, old_second, column):
    """Move the column sums of a product of two derivatives one row on."""
    for x in range(len(column)):
        entering = np.float64(first[x]) * np.float64(second[x])
        column[x] += entering - np.float64(old_first[x]) * np.float64(old_second[x])


@inline_kernel()
def slide_structure(ix, iy, y, zeros, sums):
    """Move the column sums of Ix Ix, Ix Iy and Iy Iy on to the windows whose last row is y."""
    width = len(zeros)
    gx, gy = row_or_zeros(ix, y, zeros), row_or_zeros(iy, y, zeros)
    old_gx, old_gy = row_or_zeros(ix, y - SIDE, zeros), row_or_zeros(iy, y - SIDE, zeros)
    slide(gx, gx, old_gx, old_gx, column_sum(sums, 0, width))
    slide(gx, gy, old_gx, old_gy, column_sum(sums, 1, width))
    slide(gy, gy, old_gy, old_gy, column_sum(sums, 2, width))


@inline_kernel(noalias=True)
def _add_across(first, second, third, fourth, fifth, out):
    for x in range(len(fifth)):
        out[x] = first[x] + second[x] + third[x] + fourth[x] + fifth[x]


@inline_kernel()
def sum_windows(sums):
    """Sum the windows, once the column sums are moved on."""
    column = sums[0]
    _add_across(column, column[1:], column[2:], column[3:], column[4:], sums[1])


@inline_kernel()
def structure_sums(sums, width):
    """Return the sums of Ix Ix, Ix Iy and Iy Iy over the windows of a row."""
    return window_sum(sums, 0, width), window_sum(sums, 1, width), window_sum(sums, 2, width)
