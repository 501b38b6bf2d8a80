"""Labels that stay with their plane from frame to frame."""

import numpy as np
from numpy.typing import NDArray

from streamflow.planes.segmentation import SPACING, Labels

OVERLAP = 0.2  # intersection over union from which a region is taken for the one before


def carried(labels: Labels, vectors: NDArray[np.float32]) -> Labels:
    """Labels of the previous frame on the newest one, gathered along the flow; 0 where none are known."""
    height, width = labels.shape
    row, column = np.mgrid[:height, :width]
    u = np.nan_to_num(vectors[::SPACING, ::SPACING], nan=-np.inf) / SPACING
    x, y = column + u[..., 0], row + u[..., 1]
    inside = (x >= 0) & (y >= 0) & (x <= width - 1) & (y <= height - 1)
    found = np.zeros_like(labels)
    found[inside] = labels[np.rint(y[inside]).astype(int), np.rint(x[inside]).astype(int)]
    return found


def moved(planes: NDArray[np.float64], R: NDArray[np.float64], T: NDArray[np.float64]) -> NDArray[np.float64]:
    """Planes n, (P, 3), of the previous frame in the newest one's coordinates.

    R, T : motion from the newest frame to the previous, T in the unit of the planes' distance.
    """
    return np.asarray((planes @ R) / (1 - planes @ T)[:, None])


def overlaps(before: Labels, now: Labels) -> NDArray[np.float64]:
    """Intersection over union of every region before with every one now, (labels before, labels now)."""
    rows, columns = int(before.max()) + 1, int(now.max()) + 1
    joint = np.bincount(before.ravel().astype(int) * columns + now.ravel(), minlength=rows * columns)
    joint = joint.reshape(rows, columns)
    return np.asarray((joint / (joint.sum(1, keepdims=True) + joint.sum(0) - joint + 1e-9))[1:, 1:])


class PlaneTracker:
    """Name each frame's planes by the names of the frame before; new planes get numbers never used before."""

    def __init__(self) -> None:
        self._next = 1
        self.reset()

    def reset(self) -> None:
        """Forget the regions: after a cut or a gap. The numbers go on."""
        self._labels: Labels | None = None
        self._names: list[int] = []

    def __call__(self, labels: Labels, vectors: NDArray[np.float32]) -> list[int]:
        """Take the newest frame's regions in.

        Parameters
        ----------
        labels : (h, w), as `find_planes` gives them: 0 or 1 + the plane's index.
        vectors : (H, W, 2), flow from the newest frame to the previous.

        Returns
        -------
        The name of each plane.
        """
        from scipy.optimize import linear_sum_assignment

        names = [0] * int(labels.max())
        if self._labels is not None:
            overlap = overlaps(carried(self._labels, vectors), labels)
            for before, now in zip(*linear_sum_assignment(overlap, maximize=True), strict=True):
                if overlap[before, now] >= OVERLAP:
                    names[now] = self._names[before]
        for i, name in enumerate(names):
            if not name:
                names[i], self._next = self._next, self._next + 1
        self._labels, self._names = labels, names
        return names
