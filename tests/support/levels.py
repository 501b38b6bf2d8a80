"""A level of a frame's pyramid, at the size of the image itself."""

import numpy as np

from streamflow.flow.gradients import invert_normal_matrix, pack_neighbours
from streamflow.flow.normalise import normalise
from streamflow.flow.pyramid import DAMPING, Level


def level_of(grey: np.ndarray) -> Level:
    """Everything that the flow may need of a grey image."""
    packed = np.empty((2, *grey.shape), np.uint32)
    inverse, smallest = np.empty((3, *grey.shape), np.float32), np.empty(grey.shape, np.float32)
    level = Level(grey.copy(), np.empty_like(grey), packed[0], packed[1], inverse, smallest)
    normalise(level.grey, level.image)
    pack_neighbours(level.image, level.neighbours)
    pack_neighbours(level.grey, level.grey_neighbours)
    invert_normal_matrix(level.image, level.inverse, level.smallest_eigenvalue, DAMPING)
    return level
