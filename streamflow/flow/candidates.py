"""Two candidate flows: how far they are apart, and the better of the two."""

import numpy as np

from streamflow.kernels.jit import kernel, part


@part(disjoint=True)
def _distance_row(u, v, other_u, other_v, out):
    for x in range(len(out)):
        across, down = u[x] - other_u[x], v[x] - other_v[x]
        out[x] = np.sqrt(across * across + down * down)


@kernel("void(float32[:,:,::1], float32[:,:,::1], float32[:,::1])", fastmath=True)
def distance(flow, other, out):
    """Write the distance of two flows (2, H, W) at every pixel."""
    for y in range(len(out)):
        _distance_row(flow[0, y], flow[1, y], other[0, y], other[1, y], out[y])


@part(disjoint=True)
def _keep_better_row(u, v, residual, other_u, other_v, other_residual):
    for x in range(len(u)):
        mine, theirs = residual[x], other_residual[x]
        mine_u, mine_v, their_u, their_v = u[x], v[x], other_u[x], other_v[x]
        u[x], v[x] = their_u if theirs < mine else mine_u, their_v if theirs < mine else mine_v
        residual[x] = min(mine, theirs)


@kernel("void(float32[:,:,::1], float32[:,::1], float32[:,:,::1], float32[:,::1])", fastmath=True)
def keep_better(flow, residual, other, other_residual):
    """Replace, in place, flow and residual by the other's wherever the other's residual is smaller."""
    for y in range(len(residual)):
        _keep_better_row(
            flow[0, y], flow[1, y], residual[y], other[0, y], other[1, y], other_residual[y]
        )  # fmt: skip
