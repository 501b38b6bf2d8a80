"""Everything the flow needs of one frame alone, at every size."""

import itertools
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from streamflow.flow.box_sums import AREA
from streamflow.flow.gradients import invert_normal_matrix, pack_neighbours
from streamflow.flow.normalise import normalise

DAMPING = 1.0 * AREA
FULL_SIZE_DAMPING = 5.0 * AREA
_SMALLEST = 6
_EIGHTH = 3


@dataclass(frozen=True, eq=False)
class Level:
    """One size of a frame."""

    grey: NDArray[np.uint8]
    """(H, W)"""
    image: NDArray[np.uint8]
    """(H, W), locally normalised"""
    neighbours: NDArray[np.uint32]
    """(H, W), see `pack_neighbours`, of `image`"""
    grey_neighbours: NDArray[np.uint32]
    """(H, W), of `grey`; on the levels that compare grey values, down to an eighth of the size"""
    inverse: NDArray[np.float32]
    """(3, H, W), see `invert_normal_matrix`; from half size down"""
    smallest_eigenvalue: NDArray[np.float32]
    """(H, W), of the 9x9 windows' normal matrix; from half size down"""


def sizes(height: int, width: int) -> list[tuple[int, int]]:
    """Return the (height, width) of every level, finest first, down to about 6 pixels."""
    levels = [(height, width)]
    while min(levels[-1]) >= 2 * _SMALLEST:
        height, width = (height + 1) // 2, (width + 1) // 2
        levels.append((height, width))
    return levels


def allocate(shape: tuple[int, int], finest_compared: int) -> tuple[Level, ...]:
    """Return the levels of a frame, not yet filled; from `finest_compared` on they compare grey values."""
    shapes = sizes(*shape)
    compared = range(min(finest_compared, len(shapes) - 1), _EIGHTH + 1)
    return tuple(
        Level(
            grey=np.empty((h, w), np.uint8),
            image=np.empty((h, w), np.uint8),
            neighbours=np.empty((h, w), np.uint32),
            grey_neighbours=np.empty((h, w) if k in compared else 0, np.uint32),
            inverse=np.empty((3, h, w) if k else 0, np.float32),
            smallest_eigenvalue=np.empty((h, w) if k else 0, np.float32),
        )
        for k, (h, w) in enumerate(shapes)
    )


def fill(grey: NDArray[np.uint8], levels: tuple[Level, ...], full_size: bool) -> None:
    """Compute the levels of a frame from its grey values; full size only if the flow is refined there."""
    np.copyto(levels[0].grey, grey)
    for upper, lower in itertools.pairwise(levels):
        cv2.pyrDown(upper.grey, dst=lower.grey)
    for level in levels:
        if level.grey_neighbours.size:
            pack_neighbours(level.grey, level.grey_neighbours)
    for level in levels[0 if full_size else 1 :]:
        normalise(level.grey, level.image)
        pack_neighbours(level.image, level.neighbours)
    for level in levels[1:]:
        invert_normal_matrix(level.image, level.inverse, level.smallest_eigenvalue, DAMPING)
