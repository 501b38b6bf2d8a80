"""Taking a flow one level up the pyramid: twice the size, vectors twice as long."""

import numpy as np

from streamflow.compiler import kernel


@kernel("void(float32[:,:,::1], float32[:,:,::1])", fastmath=True)
def upsample(flow, out):
    """Write the bilinear interpolation, times two; coarse (x, y) lies on fine (2x, 2y), as pyrDown has it.

    Parameters
    ----------
    flow : ndarray, shape (2, ceil(H / 2), ceil(W / 2))
    out : ndarray, shape (2, H, W)
    """
    _, height, width = out.shape
    coarse_height, coarse_width = flow.shape[1:]
    row = np.empty(coarse_width + 1, np.float32)
    for k in range(2):
        for y in range(height):
            upper = y // 2
            lower = min((y + 1) // 2, coarse_height - 1)
            for x in range(coarse_width):
                row[x] = flow[k, upper, x] + flow[k, lower, x]
            row[coarse_width] = row[coarse_width - 1]
            for x in range(width // 2):
                out[k, y, 2 * x] = row[x]
                out[k, y, 2 * x + 1] = np.float32(0.5) * (row[x] + row[x + 1])
            if width % 2:
                out[k, y, width - 1] = row[coarse_width - 1]
