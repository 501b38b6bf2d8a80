"""Which points of the reference are covered by nearer ones in the target."""

import numpy as np
from numpy.typing import NDArray

from streamflow.compiler import kernel
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
    vectors : (H, W, 2), pixels.
    inverse_depth, variance : (H, W), on the reference; NaN takes no part. Where hidden, NaN is put.
    unknown : (H, W), where hidden, the bit is set.
    H, e : the motion in pixels, see `streamflow.depth.epipolar.pixel_motion`.
    """
    height, width = inverse_depth.shape
    nearest = np.zeros((height // CELL + 1, width // CELL + 1), np.float32)
    points = vectors, inverse_depth, variance, H[2], e[2], nearest
    _splat(*points)
    _blank(*points, unknown)


@kernel()
def _in_target(vectors, inverse_depth, variance, h3, e3, y, x, deviations):
    """Inverse depth in the target, shifted by so many standard deviations, and its cell; zeros if none."""
    height, width = inverse_depth.shape
    p1 = np.float32(x) + vectors[y, x, 0]
    p2 = np.float32(y) + vectors[y, x, 1]
    rho = inverse_depth[y, x] + deviations * np.sqrt(variance[y, x])
    if not (rho > 0 and p1 >= 0 and p2 >= 0 and p1 < width and p2 < height):
        return np.float32(0), 0, 0
    scale = h3[0] * np.float32(x) + h3[1] * np.float32(y) + h3[2] + rho * e3
    return rho / scale, int(p2) // CELL, int(p1) // CELL


@kernel()
def _splat(vectors, inverse_depth, variance, h3, e3, nearest):
    for y in range(0, inverse_depth.shape[0], CELL):
        for x in range(0, inverse_depth.shape[1], CELL):
            rho, row, column = _in_target(vectors, inverse_depth, variance, h3, e3, y, x, -SURE)
            nearest[row, column] = max(nearest[row, column], rho)


@kernel()
def _blank(vectors, inverse_depth, variance, h3, e3, nearest, unknown):
    height, width = inverse_depth.shape
    for y in range(0, height, CELL):
        for x in range(0, width, CELL):
            rho, row, column = _in_target(vectors, inverse_depth, variance, h3, e3, y, x, SURE)
            if rho > 0 and nearest[row, column] > NEARER * rho:
                for i in range(y, min(y + CELL, height)):
                    for j in range(x, min(x + CELL, width)):
                        unknown[i, j] |= OCCLUDED
                        inverse_depth[i, j] = variance[i, j] = NOTHING
