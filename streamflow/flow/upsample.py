"""Taking a flow one level up the pyramid: twice the size, vectors twice as long."""

import numpy as np

from streamflow.kernels.jit import inline_kernel, kernel


@inline_kernel(noalias=True)
def _between(upper, lower, upper_right, lower_right, out):
    """Write pixels and those between; the right neighbours come as views of their own."""
    for x in range(len(upper_right)):
        here = upper[x] + lower[x]
        out[2 * x] = here
        out[2 * x + 1] = np.float32(0.5) * (here + upper_right[x] + lower_right[x])


@inline_kernel(noalias=True)
def interleave(u, v, out):
    """Write u and v in turn."""
    for x in range(len(u)):
        out[2 * x] = u[x]
        out[2 * x + 1] = v[x]


@inline_kernel()
def upsample_row(component, y, out):
    """Write row y of one component of the flow `upsample` makes."""
    upper, lower = component[y // 2], component[min((y + 1) // 2, len(component) - 1)]
    last = len(upper) - 1
    _between(upper, lower, upper[1:], lower[1:], out)
    for x in range(2 * last, len(out)):
        out[x] = upper[last] + lower[last]


@kernel("void(float32[:,:,::1], float32[:,:,::1])", fastmath=True)
def upsample(flow, out):
    """Write the bilinear interpolation, times two; coarse (x, y) lies on fine (2x, 2y), as pyrDown has it.

    Parameters
    ----------
    flow : ndarray, shape (2, ceil(H / 2), ceil(W / 2))
    out : ndarray, shape (2, H, W)
    """
    for k in range(2):
        for y in range(out.shape[1]):
            upsample_row(flow[k], y, out[k, y])


@kernel("void(float32[:,:,::1], float32[:,::1])", fastmath=True)
def upsample_interleaved(flow, vectors):
    """Do `upsample`; vectors, shape (H, 2 W), has u and v in turn."""
    height, width = len(vectors), vectors.shape[1] // 2
    u, v = np.empty(width, np.float32), np.empty(width, np.float32)
    for y in range(height):
        upsample_row(flow[0], y, u)
        upsample_row(flow[1], y, v)
        interleave(u, v, vectors[y])
