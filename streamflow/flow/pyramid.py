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


@dataclass(frozen=True, eq=False)
class Level:
    """One size of a frame."""

    grey: NDArray[np.uint8]
    """(H, W)"""
    image: NDArray[np.uint8]
    """(H, W), locally normalised"""
    neighbours: NDArray[np.uint32]
    """(H, W), see `pack_neighbours`"""
    inverse: NDArray[np.float32]
    """(3, H, W), see `invert_normal_matrix`"""
    smallest_eigenvalue: NDArray[np.float32]
    """(H, W), of the 9x9 windows' normal matrix"""


def sizes(height: int, width: int) -> list[tuple[int, int]]:
    """Return the (height, width) of every level, finest first, down to about 6 pixels."""
    levels = [(height, width)]
    while min(levels[-1]) >= 2 * _SMALLEST:
        height, width = (height + 1) // 2, (width + 1) // 2
        levels.append((height, width))
    return levels


def allocate(height: int, width: int) -> tuple[Level, ...]:
    """Return the levels of a frame, not yet filled."""
    shapes = sizes(height, width)
    return tuple(
        Level(
            grey=np.empty((h, w), np.uint8),
            image=np.empty((h, w), np.uint8),
            neighbours=np.empty((h, w), np.uint32),
            inverse=np.empty((3, h, w), np.float32),
            smallest_eigenvalue=np.empty((h, w), np.float32),
        )
        for h, w in shapes
    )


def fill(grey: NDArray[np.uint8], levels: tuple[Level, ...], full_size_iterations: int) -> None:
    """Compute the levels of a frame from its grey values; of full size only what its iterations need."""
    np.copyto(levels[0].grey, grey)
    for upper, lower in itertools.pairwise(levels):
        cv2.pyrDown(upper.grey, dst=lower.grey)
    for k, level in enumerate(levels):
        if k > 0 or full_size_iterations > 0:
            normalise(level.grey, level.image)
            pack_neighbours(level.image, level.neighbours)
        if k > 0 or full_size_iterations > 1:
            invert_normal_matrix(
                level.image,
                level.inverse,
                level.smallest_eigenvalue,
                DAMPING if k > 0 else FULL_SIZE_DAMPING,
            )
