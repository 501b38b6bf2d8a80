"""The last Lucas-Kanade iteration, at full size: from two images and a flow to the answer's layout."""

import numpy as np

from streamflow.compiler import kernel
from streamflow.flow.box_sums import RADIUS, new_window_rows, window_sum
from streamflow.flow.gradients import central_differences
from streamflow.flow.lucas_kanade import linearised_residual


@kernel("void(uint8[:,::1], uint32[::1], float32[:,:,::1], float32[:,:,::1], float32)", fastmath=True)
def final_step(image, neighbours, flow, vectors, damping):
    """Do what `lucas_kanade_step` does, the normal matrix computed on the way, its residual left out.

    Parameters
    ----------
    image : ndarray, shape (H, W), uint8
        Reference, locally normalised.
    neighbours : ndarray, shape (H * W,), uint32
        Target, see `pack_neighbours`.
    flow : ndarray, shape (2, H, W)
    vectors : ndarray, shape (H, W, 2)
        Output, pixels.
    """
    height, width = image.shape
    raw, triple, column = new_window_rows(5, width)
    sums = np.empty((5, width), np.float32)
    across, down = np.empty(width, np.float32), np.empty(width, np.float32)
    rest, unused = np.empty(width, np.float32), np.empty(width, np.float32)
    share = np.empty(width, np.float32)
    place = np.empty((3, width), np.float32)
    index = np.empty(width, np.int32)
    packed = np.empty(width, np.uint32)
    for newest in range(height + RADIUS):
        slot = newest % 3
        if newest < height:
            central_differences(image, newest, across, down)
            linearised_residual(
                neighbours,
                image,
                across,
                down,
                flow,
                newest,
                place,
                index,
                packed,
                rest,
                unused,
                np.float32(0),
            )
            for x in range(width):
                raw[0, slot, x] = across[x] * across[x]
            for x in range(width):
                raw[1, slot, x] = across[x] * down[x]
            for x in range(width):
                raw[2, slot, x] = down[x] * down[x]
            for x in range(width):
                raw[3, slot, x] = across[x] * rest[x]
            for x in range(width):
                raw[4, slot, x] = down[x] * rest[x]
        else:
            raw[:, slot] = 0
        for quantity in range(5):
            window_sum(raw, triple, column, quantity, newest, sums)
        y = newest - RADIUS
        if y < 0:
            continue
        for x in range(width):
            a, b, c = sums[0, x] + damping, sums[1, x], sums[2, x] + damping
            share[x] = np.float32(1) / (a * c - b * b)
        for k in range(2):
            for x in range(width):
                sums[3 + k, x] = (damping * flow[k, y, x] - sums[3 + k, x]) * share[x]
        for x in range(width):
            vectors[y, x, 0] = (sums[2, x] + damping) * sums[3, x] - sums[1, x] * sums[4, x]
        for x in range(width):
            vectors[y, x, 1] = (sums[0, x] + damping) * sums[4, x] - sums[1, x] * sums[3, x]
