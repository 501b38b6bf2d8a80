"""From dense flow to the points a motion is estimated from."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from streamflow.kernels.jit import inline_kernel, kernel
from streamflow.values import Matrix

Indices = npt.NDArray[np.intp]

GREY_NOISE = 1.0  # grey levels: of a window's mean difference between the two images
REACH = 3  # pixels, of the structure tensor: a window of 7 x 7
SOBEL = 8.0  # times the gradient: what its mask gives
FLATTEST = 0.01  # grey levels^2 a pixel^2: keeps the tensor of a flat patch invertible
WORST = 2.0  # pixels: a point that is known no better in any direction is useless


MOSTLY_COPIED = 0.5  # of the pixels with evidence: with more, the scene itself may well stand still


@dataclass(frozen=True, eq=False)
class FlowPoints:
    """Flow at N points with what is known of its error."""

    positions: Matrix  # (N, 2) pixels on the reference
    vectors: Matrix  # (N, 2) pixels to the target
    covariance: Matrix  # (N, 2, 2) pixels^2 of `vectors`

    def __len__(self) -> int:
        """N."""
        return len(self.positions)


def sample(
    vectors: npt.NDArray[np.float32],
    sigma: npt.NDArray[np.float32],
    grey: npt.NDArray[np.uint8],
    *,
    spacing: int = 11,
) -> FlowPoints:
    """One point per `spacing` x `spacing` cell of dense flow: the one of smallest predicted error.

    Parameters
    ----------
    vectors : (H, W, 2) pixels
    sigma : (H, W) predicted error of `vectors`, pixels
    grey : (H, W) the reference image

    Returns
    -------
    FlowPoints
        Without points that leave the image, are unknown (NaN) or are known no better than `WORST`. Their
        covariance is sigma^2 and what the image itself allows, GREY_NOISE^2 over the structure tensor:
        along an edge, and where there is no texture, dense flow is interpolated (Simoncelli, Adelson &
        Heeger 1991).
    """
    height, width = sigma.shape
    y, x = _best_of_cells(sigma, spacing)
    u = vectors[y, x].astype(float)
    covariance = _matching_covariance(grey, y, x)
    covariance[:, [0, 1], [0, 1]] += np.square(np.minimum(sigma[y, x], 2 * WORST))[:, None]
    x1, y1 = x + u[:, 0], y + u[:, 1]
    inside = (x1 >= 0) & (x1 <= width - 1) & (y1 >= 0) & (y1 <= height - 1)  # False for NaN
    keep = np.flatnonzero(inside & (_smaller_eigenvalue(covariance) < WORST**2))
    return FlowPoints(np.stack([x, y], axis=1)[keep].astype(float), u[keep], covariance[keep])


def without_copies(
    sigma: npt.NDArray[np.float32], reference: npt.NDArray[np.uint8], target: npt.NDArray[np.uint8]
) -> npt.NDArray[np.float32]:
    """`sigma` (H, W), infinite where the window about a pixel is identical in both images.

    A sensor never repeats itself exactly, a codec that copies what it cannot afford to send does: there is no
    evidence of stillness. Where most is identical nothing is left out.
    """
    window = np.ones((2 * REACH + 1, 2 * REACH + 1), np.uint8)
    copied = cv2.dilate(cv2.absdiff(reference, target), window) == 0
    evident = np.isfinite(sigma)
    if np.count_nonzero(copied & evident) > MOSTLY_COPIED * np.count_nonzero(evident):
        return sigma
    return np.where(copied, np.float32(np.inf), sigma)


def _smaller_eigenvalue(symmetric: Matrix) -> Matrix:
    a, b, c = symmetric[:, 0, 0], symmetric[:, 0, 1], symmetric[:, 1, 1]
    return np.asarray((a + c) / 2 - np.hypot((a - c) / 2, b))


@kernel()
def _best_of_cells(sigma, spacing):
    """Row and column of the smallest sigma of each whole cell, (N,) each; NaN is no candidate."""
    rows, columns = sigma.shape[0] // spacing, sigma.shape[1] // spacing
    y, x = np.empty(rows * columns, np.intp), np.empty(rows * columns, np.intp)
    least, where = np.empty(sigma.shape[1], np.float32), np.empty(sigma.shape[1], np.int32)
    for cell in range(rows * columns):
        top, left = cell // columns * spacing, cell % columns * spacing
        if left == 0:
            least[:], where[:] = np.inf, top
            for row in range(top, top + spacing):
                _keep_least(sigma[row], np.int32(row), least, where)
        y[cell], x[cell], best = top, left, np.inf
        for column in range(left, left + spacing):
            value, row = least[column], where[column]
            if value < best or (value == best and row < y[cell]):  # of equals the first
                y[cell], x[cell], best = row, column, value
    return y, x


@inline_kernel(noalias=True, fastmath=False)
def _keep_least(values, row, least, where):
    """Enter a row: of each column the smallest value so far, and its row."""
    for x in range(len(least)):
        better = values[x] < least[x]
        least[x], where[x] = values[x] if better else least[x], row if better else where[x]


def _matching_covariance(grey: npt.NDArray[np.uint8], y: Indices, x: Indices) -> Matrix:
    """GREY_NOISE^2 over the structure tensor about each point, (N, 2, 2), pixels^2."""
    xx, xy, yy = _structure_tensor(grey, y, x) / (SOBEL * (2 * REACH + 1)) ** 2
    xx, yy = xx + FLATTEST, yy + FLATTEST
    scale = GREY_NOISE**2 / (xx * yy - xy * xy)
    return np.stack([scale * yy, -scale * xy, -scale * xy, scale * xx], axis=1).reshape(-1, 2, 2)


@kernel()
def _structure_tensor(grey, y, x):
    """Ix Ix, Ix Iy and Iy Iy, (3, N), summed over the window about each point; gradients times `SOBEL`."""
    height, width = grey.shape
    tensor, side = np.empty((3, y.size)), 2 * REACH + 1
    for i in range(y.size):
        top = min(max(y[i] - REACH, 1), height - side - 1)
        left = min(max(x[i] - REACH, 1), width - side - 1)
        xx, xy, yy = np.int32(0), np.int32(0), np.int32(0)  # small whole numbers: several at once
        for row in range(top, top + side):
            above, here, below = grey[row - 1, left - 1 :], grey[row, left - 1 :], grey[row + 1, left - 1 :]
            for k in range(side):
                a, b, c = np.int32(above[k]), np.int32(above[k + 1]), np.int32(above[k + 2])
                d, e = np.int32(here[k]), np.int32(here[k + 2])
                f, g, h = np.int32(below[k]), np.int32(below[k + 1]), np.int32(below[k + 2])
                gx, gy = np.int32(c - a + 2 * (e - d) + h - f), np.int32(f - a + 2 * (g - b) + h - c)
                xx, xy, yy = np.int32(xx + gx * gx), np.int32(xy + gx * gy), np.int32(yy + gy * gy)
        tensor[0, i], tensor[1, i], tensor[2, i] = xx, xy, yy
    return tensor
