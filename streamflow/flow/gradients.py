"""What Lucas-Kanade needs of a frame alone: neighbours for the warp, gradients, inverse normal matrices."""

import numpy as np

from streamflow.compiler import kernel
from streamflow.flow.box_sums import RADIUS, new_window_rows, window_sum


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


@kernel(fastmath=True)
def central_differences(image, y, across, down):
    """Write row y of d/dx and d/dy, by central differences, the border pixel repeated outside."""
    height, width = image.shape
    half = np.float32(0.5)
    above, below = max(y - 1, 0), min(y + 1, height - 1)
    for x in range(1, width - 1):
        across[x] = half * (np.float32(image[y, x + 1]) - np.float32(image[y, x - 1]))
    across[0] = half * (np.float32(image[y, 1]) - np.float32(image[y, 0]))
    across[width - 1] = half * (np.float32(image[y, width - 1]) - np.float32(image[y, width - 2]))
    for x in range(width):
        down[x] = half * (np.float32(image[below, x]) - np.float32(image[above, x]))


@kernel("void(uint8[:,::1], float32[:,:,::1], float32[:,:,::1], float32[:,::1], float32)", fastmath=True)
def invert_normal_matrix(image, gradient, inverse, smallest_eigenvalue, damping):
    """Write the three entries of (A + damping I)^-1 and lambda_min(A), A = 9x9 sum of g g'.

    Parameters
    ----------
    gradient : ndarray, shape (2, H, W)
    inverse : ndarray, shape (3, H, W)
        xx, xy, yy.
    smallest_eigenvalue : ndarray, shape (H, W)
    """
    height, width = smallest_eigenvalue.shape
    raw, triple, column = new_window_rows(3, width)
    sums = np.empty((3, width), np.float32)
    half = np.float32(0.5)
    for newest in range(height + RADIUS):
        slot = newest % 3
        if newest < height:
            central_differences(image, newest, gradient[0, newest], gradient[1, newest])
            for x in range(width):
                raw[0, slot, x] = gradient[0, newest, x] * gradient[0, newest, x]
            for x in range(width):
                raw[1, slot, x] = gradient[0, newest, x] * gradient[1, newest, x]
            for x in range(width):
                raw[2, slot, x] = gradient[1, newest, x] * gradient[1, newest, x]
        else:
            raw[:, slot] = 0
        for quantity in range(3):
            window_sum(raw, triple, column, quantity, newest, sums)
        y = newest - RADIUS
        if y < 0:
            continue
        for x in range(width):
            mean, half_gap = half * (sums[0, x] + sums[2, x]), half * (sums[0, x] - sums[2, x])
            smallest_eigenvalue[y, x] = max(
                mean - np.sqrt(half_gap * half_gap + sums[1, x] * sums[1, x]), np.float32(0)
            )
        for x in range(width):
            column[0, x] = np.float32(1) / (
                (sums[0, x] + damping) * (sums[2, x] + damping) - sums[1, x] * sums[1, x]
            )
        for x in range(width):
            inverse[0, y, x] = (sums[2, x] + damping) * column[0, x]
        for x in range(width):
            inverse[1, y, x] = -sums[1, x] * column[0, x]
        for x in range(width):
            inverse[2, y, x] = (sums[0, x] + damping) * column[0, x]
        column[0] = 0
