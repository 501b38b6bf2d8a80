"""A pair on a coarse grid: some twenty thousand cells, each with its mean flow, texture and colour."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import cv2
import numpy as np
from numpy.typing import NDArray

from streamflow.kernels.jit import kernel
from streamflow.values import Flow, Frame, Map, Vectors

CELLS = 19_200  # of a picture, about: 160 x 120
FLOOR = 0.3  # pixels: flow is not known better, whatever it predicts
MARGIN = 2  # cells along the border that tell nothing: flow there is extrapolated


@dataclass(frozen=True, eq=False)
class Cells:
    """Means over squares of `side` x `side` pixels; (h, w) cells."""

    side: int  # pixels
    size: tuple[int, int]  # (H, W) pixels of the picture; what is left right and below belongs to no cell
    positions: NDArray[np.floating]  # (h, w, 2) centres, pixels
    vectors: Vectors  # (h, w, 2) flow, pixels
    variance: Map  # of each of its components, pixels^2
    tensor: NDArray[np.floating]  # (h, w, 3) Ix Ix, Ix Iy, Iy Iy, (grey levels / pixel)^2; 0 if excluded
    colour: NDArray[np.floating]  # (h, w, 3) CIE Lab

    @property
    def shape(self) -> tuple[int, int]:
        """(h, w)."""
        return self.variance.shape[0], self.variance.shape[1]

    def inside(self, points: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Which of (h, w, 2) pixel positions lie in the picture, `MARGIN` cells from its border or more."""
        margin = MARGIN * self.side
        below, right = (np.float32(length - 1 - margin) for length in self.size)
        x, y = points[..., 0], points[..., 1]
        return np.asarray((x >= margin) & (x <= right) & (y >= margin) & (y <= below))

    def sample(self, values: Map, points: NDArray[np.floating]) -> Map:
        """Bilinear values (h, w) of a map of cells at pixel positions (h, w, 2); 0 outside."""
        x, y = np.moveaxis((points - self.positions[0, 0]) / np.float32(self.side), -1, 0)
        return np.asarray(cv2.remap(values, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT))

    def nearest(self, values: NDArray[np.int32], points: NDArray[np.floating]) -> NDArray[np.int32]:
        """Value (h, w) of the nearest cell to pixel positions (h, w, 2); 0 outside."""
        x, y = np.moveaxis((points - self.positions[0, 0]) / np.float32(self.side), -1, 0)
        moved = cv2.remap(values.astype(np.float32), x, y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT)
        return np.asarray(moved, np.int32)

    def enlarged(self, values: Map) -> Map:
        """Map of the picture (H, W) from one of cells, bilinear."""
        height, width = (count * self.side for count in self.shape)
        whole = cv2.resize(values, (width, height), interpolation=cv2.INTER_LINEAR)
        right, below = self.size[1] - width, self.size[0] - height
        return np.asarray(cv2.copyMakeBorder(whole, 0, below, 0, right, cv2.BORDER_REPLICATE))


def cells_of(frame: Frame, flow: Flow) -> Cells:
    """Average the flow of a pair and its reference image over cells."""
    height, width = flow.sigma.shape
    side = max(1, round(sqrt(height * width / CELLS)))
    shape = max(1, height // side), max(1, width // side)
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32) * side + np.float32((side - 1) / 2)
    means = cell_means(flow.vectors, flow.sigma, frame.grey, side)
    vectors, sigma, tensor = (np.ascontiguousarray(part) for part in np.split(means, [2, 3], axis=-1))
    if flow.excluded is not None:
        tensor[_means(flow.excluded.astype(np.float32), side, shape) > 0] = 0
    colour = _means(frame.image, side, shape).astype(np.float32) / 255
    return Cells(
        side=side,
        size=(height, width),
        positions=np.stack([x, y], axis=-1),
        vectors=vectors,
        variance=np.square(sigma[..., 0]) + np.float32(FLOOR**2),
        tensor=tensor,
        colour=np.asarray(cv2.cvtColor(colour, cv2.COLOR_BGR2LAB), np.float32),
    )


@kernel(fastmath=True)
def cell_means(vectors, sigma, grey, side):
    """(h, w, 6) means of u, v, sigma, Ix Ix, Ix Iy and Iy Iy over the cells, by Scharr's derivatives."""
    rows, columns = grey.shape
    height, width = rows // side, columns // side
    means = np.zeros((height, width, 6), np.float32)
    share = np.float32(1 / side**2)
    three, ten, scale2 = np.float32(3), np.float32(10), np.float32(1 / 32**2)
    for y in range(height * side):
        above, below, out = max(y - 1, 0), min(y + 1, rows - 1), means[y // side]
        for cell in range(width):
            u = v = s = xx = xy = yy = np.float32(0)
            for x in range(cell * side, cell * side + side):
                left, right = max(x - 1, 0), min(x + 1, columns - 1)
                falling = np.float32(grey[below, right]) - np.float32(grey[above, left])
                rising = np.float32(grey[above, right]) - np.float32(grey[below, left])
                across = np.float32(grey[y, right]) - np.float32(grey[y, left])
                down = np.float32(grey[below, x]) - np.float32(grey[above, x])
                ix, iy = three * (falling + rising) + ten * across, three * (falling - rising) + ten * down
                u += vectors[y, x, 0]
                v += vectors[y, x, 1]
                s += sigma[y, x]
                xx += ix * ix
                xy += ix * iy
                yy += iy * iy
            for k, value in enumerate((u, v, s, scale2 * xx, scale2 * xy, scale2 * yy)):
                out[cell, k] += share * value
    return means


def _means(
    values: NDArray[np.floating] | NDArray[np.uint8], side: int, shape: tuple[int, int]
) -> NDArray[np.floating]:
    height, width = shape[0] * side, shape[1] * side
    reduced = cv2.resize(values[:height, :width], shape[::-1], interpolation=cv2.INTER_AREA)
    return np.asarray(reduced)
