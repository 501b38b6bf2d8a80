"""Fusing two candidate flows."""

from streamflow.compiler import kernel


@kernel("void(float32[:,:,::1], float32[:,::1], float32[:,:,::1], float32[:,::1])", fastmath=True)
def keep_better(flow, residual, other, other_residual):
    """Replace, in place, flow and residual by the other's wherever the other's residual is smaller."""
    height, width = residual.shape
    for y in range(height):
        for k in range(2):
            for x in range(width):
                mine, theirs = flow[k, y, x], other[k, y, x]
                flow[k, y, x] = theirs if other_residual[y, x] < residual[y, x] else mine
        for x in range(width):
            residual[y, x] = min(residual[y, x], other_residual[y, x])
