"""Blocks of the image: errors of dense flow are alike within a block, independent between blocks."""

import numpy as np
import numpy.typing as npt

from streamflow.values import Matrix

BLOCKS = 8, 6  # across, down


def blocks_of(a: Matrix) -> npt.NDArray[np.int16]:
    """Number (N,) of the block each point (2, N) lies in."""
    low, high = a.min(axis=1, keepdims=True), a.max(axis=1, keepdims=True)
    cell = ((a - low) / (high - low + 1e-12) * np.array(BLOCKS)[:, None]).astype(int)
    column, row = np.minimum(cell, np.array(BLOCKS)[:, None] - 1)
    return np.asarray(column + BLOCKS[0] * row, np.int16)  # short numbers sort fast
