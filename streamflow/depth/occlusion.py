"""Which points of the reference are covered by nearer ones in the target."""

import numpy as np
from numpy.typing import NDArray

from streamflow.kernels.jit import inline_kernel, kernel
from streamflow.values import Unknown

CELL = 2  # pixels: one point in each CELL x CELL block is carried over, and compared in cells of this size
NEARER = np.float32(1.1)  # the covering point is nearer by this factor at least
SURE = np.float32(2)  # and nearer still when both are off by so many standard deviations
OCCLUDED = np.uint8(Unknown.OCCLUDED)
NOTHING = np.float32(np.nan)


def blank_hidden(
    vectors: NDArray[np.float32],
    inverse_depth: NDArray[np.float32],
    variance: NDArray[np.float32],
    unknown: NDArray[np.uint8],
    H: NDArray[np.float32],
    e: NDArray[np.float32],
) -> None:
    """Depth test in the target: points move along their flow, and the nearest in each cell hides the others.

    Parameters
    ----------
    vectors : (H, 2 W), u and v in turn, pixels.
    inverse_depth, variance : (H, W), on the reference; NaN takes no part. Where hidden, NaN is put.
    unknown : (H, W), where hidden, the bit is set.
    H, e : the motion in pixels, see `streamflow.depth.triangulation.pixel_motion`.
    """
    height, width = inverse_depth.shape
    nearest = np.zeros((height // CELL + 1) * (width // CELL + 1), np.float32)
    points = -(-height // CELL), -(-width // CELL)
    cell, rho = np.empty(points, np.int32), np.empty(points, np.float32)
    _carry_over(vectors, inverse_depth, variance, H[2], e[2], nearest, cell, rho)
    _blank(nearest, cell, rho, inverse_depth, variance, unknown)


@inline_kernel(noalias=True, fastmath=False)
def _in_target(y, vectors, inverse_depth, variance, h3, e3, height, cell, nearer, farther):
    """Write for a row the cells of the target, and the inverse depths there if both are wrong; 0 if none."""
    width, zero = len(inverse_depth), np.float32(0)
    for i in range(len(cell)):
        x = CELL * i
        p1, p2 = np.float32(x) + vectors[2 * x], y + vectors[2 * x + 1]
        inside = (p1 >= 0) & (p2 >= 0) & (p1 < width) & (p2 < height)
        cell[i] = np.int32(p2) // CELL * (width // CELL + 1) + np.int32(p1) // CELL if inside else 0
        deviation = SURE * np.sqrt(variance[x])
        low, high = inverse_depth[x] - deviation, inverse_depth[x] + deviation
        z = h3[0] * np.float32(x) + h3[1] * y + h3[2]
        farther[i] = low / (z + low * e3) if inside & (low > 0) else zero
        nearer[i] = high / (z + high * e3) if inside & (high > 0) else zero


@kernel()
def _carry_over(vectors, inverse_depth, variance, h3, e3, nearest, cell, rho):
    """Write each point's cell in the target and its inverse depth there at most; of each cell the nearest."""
    farther = np.empty(cell.shape[1], np.float32)
    for row in range(len(cell)):
        y = CELL * row
        points = vectors[y], inverse_depth[y], variance[y]
        _in_target(np.float32(y), *points, h3, e3, len(inverse_depth), cell[row], rho[row], farther)
        for i in range(len(farther)):
            nearest[cell[row, i]] = max(nearest[cell[row, i]], farther[i])


@kernel()
def _blank(nearest, cell, rho, inverse_depth, variance, unknown):
    height, width = inverse_depth.shape
    for row in range(len(cell)):
        for column in range(cell.shape[1]):
            if rho[row, column] > 0 and nearest[cell[row, column]] > NEARER * rho[row, column]:
                for y in range(CELL * row, min(CELL * row + CELL, height)):
                    for x in range(CELL * column, min(CELL * column + CELL, width)):
                        unknown[y, x] |= OCCLUDED
                        inverse_depth[y, x] = variance[y, x] = NOTHING
