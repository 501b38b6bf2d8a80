"""What Lucas-Kanade needs of a frame alone: neighbours for the warp, gradients, inverse normal matrices."""

import numpy as np

from streamflow.flow.box_sums import RADIUS, new_window_rows, partial_sums, rows_of, sum_windows
from streamflow.kernels.jit import inline_kernel, kernel


@kernel("void(uint8[:,::1], uint32[:,::1])", fastmath=True)
def pack_neighbours(image, packed):
    """Pack each pixel with its right, lower and lower right neighbour: one read for a bilinear sample."""
    height, width = image.shape
    for y in range(height):
        below = min(y + 1, height - 1)
        for x in range(width - 1):
            packed[y, x] = (
                np.uint32(image[y, x])
                | np.uint32(image[y, x + 1]) << np.uint32(8)
                | np.uint32(image[below, x]) << np.uint32(16)
                | np.uint32(image[below, x + 1]) << np.uint32(24)
            )
        packed[y, width - 1] = np.uint32(image[y, width - 1]) * np.uint32(257) + np.uint32(
            image[below, width - 1]
        ) * np.uint32(257 << 16)


@inline_kernel()
def interpolate(packed, fx, fy):
    """Return the grey value (fx, fy) pixels right of and below a packed pixel, 0 to 1: bilinear."""
    a = np.float32(np.int32(packed & np.uint32(255)))
    b = np.float32(np.int32(packed >> np.uint32(8) & np.uint32(255)))
    c = np.float32(np.int32(packed >> np.uint32(16) & np.uint32(255)))
    d = np.float32(np.int32(packed >> np.uint32(24)))
    above, below = a + fx * (b - a), c + fx * (d - c)
    return above + fy * (below - above)


@inline_kernel(noalias=True)
def _half_difference(right, left, out):
    for x in range(len(out)):
        out[x] = np.float32(0.5) * np.float32(np.int32(right[x]) - np.int32(left[x]))


@inline_kernel()
def central_differences(image, y, ix, iy):
    """Write row y of d/dx and d/dy, by central differences, the border pixel repeated outside."""
    last = len(ix) - 1
    row, half = image[y], np.float32(0.5)
    _half_difference(row[2:], row, ix[1:last])
    ix[0] = half * (np.float32(row[1]) - np.float32(row[0]))
    ix[last] = half * (np.float32(row[last]) - np.float32(row[last - 1]))
    _half_difference(image[min(y + 1, len(image) - 1)], image[max(y - 1, 0)], iy)


@inline_kernel(noalias=True)
def _squares(ix, iy, xx, xy, yy):
    """Write the row's part of the normal matrix: the products of the gradient with itself."""
    for x in range(len(ix)):
        xx[x] = ix[x] * ix[x]
        xy[x] = ix[x] * iy[x]
        yy[x] = iy[x] * iy[x]


@inline_kernel(noalias=True)
def _invert(damping, xx, xy, yy, smallest_eigenvalue, partial_xx, partial_xy, partial_yy):
    half, zero, one = np.float32(0.5), np.float32(0), np.float32(1)
    for x in range(len(xx)):
        a = partial_xx[x] + partial_xx[x + 3] + partial_xx[x + 6]
        b = partial_xy[x] + partial_xy[x + 3] + partial_xy[x + 6]
        c = partial_yy[x] + partial_yy[x + 3] + partial_yy[x + 6]
        half_gap = half * (a - c)
        smallest_eigenvalue[x] = max(half * (a + c) - np.sqrt(half_gap * half_gap + b * b), zero)
        share = one / ((a + damping) * (c + damping) - b * b)
        xx[x] = (c + damping) * share
        xy[x] = -b * share
        yy[x] = (a + damping) * share


@kernel("void(uint8[:,::1], float32[:,:,::1], float32[:,::1], float32)", fastmath=True)
def invert_normal_matrix(image, inverse, smallest_eigenvalue, damping):
    """Write the three entries of (A + damping I)^-1 and lambda_min(A), A = 9x9 sum of g g'.

    Parameters
    ----------
    inverse : ndarray, shape (3, H, W)
        xx, xy, yy.
    smallest_eigenvalue : ndarray, shape (H, W)
    """
    height, width = smallest_eigenvalue.shape
    rows = new_window_rows(3, width)
    ix, iy = np.empty(width, np.float32), np.empty(width, np.float32)
    for newest in range(height + RADIUS):
        if newest < height:
            central_differences(image, newest, ix, iy)
            _squares(ix, iy, *rows_of(rows, newest, width))
        else:
            rows[newest % 3] = 0
        sum_windows(rows, newest)
        y = newest - RADIUS
        if y >= 0:
            xx, xy, yy = inverse[0, y], inverse[1, y], inverse[2, y]
            _invert(damping, xx, xy, yy, smallest_eigenvalue[y], *partial_sums(rows, width))
