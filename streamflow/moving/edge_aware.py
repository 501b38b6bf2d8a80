"""Averages that stop at the edges of the image: the domain transform, by recursive filtering.

Gastal & Oliveira (2011), Domain Transform for Edge-Aware Image and Video Processing.
"""

from __future__ import annotations

from math import sqrt

import numpy as np
from numpy.typing import NDArray

from streamflow.kernels.jit import kernel
from streamflow.values import Map

ROUNDS = 3


class EdgeAwareFilter:
    """Averages maps over `reach` cells, and over far less across an edge of the colours."""

    def __init__(self, colour: NDArray[np.floating], reach: float, contrast: float) -> None:
        """Take colours (h, w, 3); where they differ by `contrast` two neighbours count `reach` apart."""
        strongest = np.float32(-sqrt(2.0) / (reach * sqrt(3.0) / sqrt(4.0**ROUNDS - 1)))  # of the last round
        self._across, self._down = (
            np.exp(strongest * (1 + np.float32(reach / contrast) * _steps(colour, axis))) for axis in (1, 0)
        )

    def __call__(self, values: Map, weight: Map) -> tuple[Map, Map]:
        """Average `values` with their weights: the sums of weighted values and of weights, each (h, w)."""
        sums = np.stack([values * weight, weight], axis=-1).astype(np.float32)
        for remaining in range(ROUNDS - 1, -1, -1):
            power = np.float32(0.5**remaining)  # a round reaches half as far as the one before
            _smooth(sums, self._across**power, self._down**power)
        return sums[..., 0], sums[..., 1]


def _steps(colour: NDArray[np.floating], axis: int) -> Map:
    """Sum over the channels of the differences of neighbours."""
    steps = np.abs(np.diff(colour, axis=axis))
    return np.asarray(steps[..., 0] + steps[..., 1] + steps[..., 2])


@kernel(fastmath=True)
def _smooth(sums, across, down):
    """Run along the rows to and fro, then along the columns, in place."""
    height, width, layers = sums.shape
    for y in range(height):
        for x in range(1, width):
            for k in range(layers):
                sums[y, x, k] += across[y, x - 1] * (sums[y, x - 1, k] - sums[y, x, k])
        for x in range(width - 2, -1, -1):
            for k in range(layers):
                sums[y, x, k] += across[y, x] * (sums[y, x + 1, k] - sums[y, x, k])
    for y in range(1, height):
        for x in range(width):
            for k in range(layers):
                sums[y, x, k] += down[y - 1, x] * (sums[y - 1, x, k] - sums[y, x, k])
    for y in range(height - 2, -1, -1):
        for x in range(width):
            for k in range(layers):
                sums[y, x, k] += down[y, x] * (sums[y + 1, x, k] - sums[y, x, k])
