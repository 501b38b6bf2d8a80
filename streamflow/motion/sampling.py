"""From dense flow to the points a motion is estimated from."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from streamflow.values import Matrix

GREY_NOISE = 1.0  # grey levels: of a window's mean difference between the two images
WINDOW_SIGMA = 2.0  # pixels, of the structure tensor's window
FLATTEST = 0.01  # grey levels^2 a pixel^2: keeps the tensor of a flat patch invertible
WORST = 2.0  # pixels: a point that is known no better in any direction is useless


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
    tensor = _structure_tensor(grey)[y, x] + FLATTEST * np.eye(2)
    covariance = GREY_NOISE**2 * np.linalg.inv(tensor.astype(float))
    covariance[:, [0, 1], [0, 1]] += np.square(np.minimum(sigma[y, x], 2 * WORST))[:, None]
    x1, y1 = x + u[:, 0], y + u[:, 1]
    inside = (x1 >= 0) & (x1 <= width - 1) & (y1 >= 0) & (y1 <= height - 1)  # False for NaN
    keep = inside & (_smaller_eigenvalue(covariance) < WORST**2)
    return FlowPoints(np.stack([x, y], axis=1)[keep].astype(float), u[keep], covariance[keep])


def _smaller_eigenvalue(symmetric: Matrix) -> Matrix:
    a, b, c = symmetric[:, 0, 0], symmetric[:, 0, 1], symmetric[:, 1, 1]
    return np.asarray((a + c) / 2 - np.hypot((a - c) / 2, b))


def _best_of_cells(sigma: npt.NDArray[np.float32], spacing: int) -> tuple[npt.NDArray[np.intp], ...]:
    rows, columns = (size // spacing for size in sigma.shape)
    cells = sigma[: rows * spacing, : columns * spacing].reshape(rows, spacing, columns, spacing)
    flat = np.nan_to_num(cells.swapaxes(1, 2).reshape(rows, columns, -1), nan=np.inf)
    dy, dx = np.divmod(flat.argmin(axis=2), spacing)
    row, column = np.indices((rows, columns))
    return (row * spacing + dy).ravel(), (column * spacing + dx).ravel()


def _structure_tensor(grey: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """(H, W, 2, 2) mean outer product of the gradient, grey levels^2 a pixel^2."""
    gx, gy = cv2.spatialGradient(grey)
    gx, gy = gx.astype(np.float32) / 8, gy.astype(np.float32) / 8
    xx, xy, yy = (cv2.GaussianBlur(p, (0, 0), WINDOW_SIGMA) for p in (gx * gx, gx * gy, gy * gy))
    return np.stack([xx, xy, xy, yy], axis=-1, dtype=np.float32).reshape(*grey.shape, 2, 2)
