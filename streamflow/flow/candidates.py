"""Two candidate flows: how far they are apart, and the better of the two."""

import numpy as np

from streamflow.kernels.jit import inline_kernel, kernel


@inline_kernel(noalias=True)
def _distance_row(u, v, other_u, other_v, out):
    for x in range(len(out)):
        du, dv = u[x] - other_u[x], v[x] - other_v[x]
        out[x] = np.sqrt(du * du + dv * dv)


@kernel("void(float32[:,:,::1], float32[:,:,::1], float32[:,::1])", fastmath=True)
def distance(flow, other, out):
    """Write the distance of two flows (2, H, W) at every pixel."""
    for y in range(len(out)):
        _distance_row(flow[0, y], flow[1, y], other[0, y], other[1, y], out[y])


@inline_kernel(noalias=True)
def _keep_better_row(u, v, ssd, other_u, other_v, other_ssd):
    for x in range(len(u)):
        better = other_ssd[x] < ssd[x]
        own_u, own_v, its_u, its_v = u[x], v[x], other_u[x], other_v[x]
        u[x], v[x] = its_u if better else own_u, its_v if better else own_v
        ssd[x] = min(ssd[x], other_ssd[x])


@kernel("void(float32[:,:,::1], float32[:,::1], float32[:,:,::1], float32[:,::1])", fastmath=True)
def keep_better(flow, ssd, other, other_ssd):
    """Replace, in place, flow and ssd by the other's wherever the other's ssd is smaller."""
    for y in range(len(ssd)):
        _keep_better_row(
            flow[0, y], flow[1, y], ssd[y], other[0, y], other[1, y], other_ssd[y]
        )  # fmt: skip
