"""Time to contact of what moves, from its own expansion alone.

What comes nearer at a speed V from a distance Z grows by V/Z a second; the inverse of that rate is the time
to contact (Lee 1976, A theory of visual control of braking based on information about time-to-collision).
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from streamflow.moving.cells import Cells
from streamflow.values import Mask, Matrix, Motion

GATE = 2.5  # standard deviations at which Geman and McClure's weight has fallen to a quarter
ROUNDS = 6
LEAST_NOISE = 0.05  # pixels: the flow of a surface is not known better
ALIKE = 25.0  # neighbouring cells whose flow errs alike: they count as one
TEXTURED = 3.0  # grey levels a pixel at which a cell counts half
TELLS, FEWEST = 0.1, 30  # weight of a cell that tells; so many have to
ENOUGH = 800  # cells of a large object: more cost time and tell no more
UNKNOWN_SIZE = 100.0  # variance of its logarithm
BRAKING = 0.3  # 1/s, by which the rate may change in a second
SIZE_ERROR = 0.05  # of the size, that an outline errs by
CLEARLY = 2.0  # standard deviations by which something comes nearer: less is no time to contact


class Growth(NamedTuple):
    """An object's own motion between reference and target: displacement = shift + (scale - 1)(x - centre)."""

    scale: float  # of the target over the reference
    variance: float  # of the scale
    shift: Matrix  # (2,) pixels


def infinity(motion: Motion, camera_matrix: Matrix, *, forward: bool) -> Matrix:
    """Homography (3, 3) of what is infinitely far: a turn and a zoom of the camera; identity if not known."""
    if motion.rotation is None:
        return np.eye(3)
    zoom = motion.zoom if forward else 1 / motion.zoom
    return np.asarray(
        camera_matrix @ np.diag([zoom, zoom, 1]) @ motion.rotation @ np.linalg.inv(camera_matrix)
    )


def growth(cells: Cells, inside: Mask, still: Matrix, centre: Matrix) -> Growth | None:
    """Fit the growth of an object to its flow.

    Parameters
    ----------
    cells : flow of the pair
    inside : (h, w) the object's cells
    still : (3, 3) homography of what is infinitely far, which the camera's turn displaces
    centre : (2,) pixels

    Returns
    -------
    None where too little is seen.
    """
    core = np.nonzero(cv2.erode(inside.view(np.uint8), np.ones((3, 3), np.uint8), borderValue=1))
    thinned = slice(None, None, 1 + len(core[0]) // ENOUGH)
    core = core[0][thinned], core[1][thinned]
    clear = np.minimum(cells.tensor[core][:, 0], cells.tensor[core][:, 2])
    weight = clear / (clear + TEXTURED**2)
    if np.count_nonzero(weight > TELLS) < FEWEST:
        return None
    positions = cells.positions[core].astype(float)
    targets = cv2.perspectiveTransform((positions + cells.vectors[core])[None], np.linalg.inv(still))[0]
    return _fitted(positions - centre, targets - positions, weight.astype(float))


def _fitted(positions: Matrix, vectors: Matrix, weight: Matrix) -> Growth:
    """Fit a shift, a scale and a turn by iteratively reweighted least squares."""
    x, y = positions.T
    one, nothing = np.ones_like(x), np.zeros_like(x)
    rows = np.concatenate([np.stack([one, nothing, x, -y], 1), np.stack([nothing, one, y, x], 1)])
    flow, robust = vectors.T.ravel(), weight
    for _ in range(ROUNDS):
        weighted = rows * np.concatenate([robust, robust])[:, None]
        inverse = np.linalg.inv(weighted.T @ rows)
        found = inverse @ (weighted.T @ flow)
        off2 = np.square(flow - rows @ found).reshape(2, -1).sum(axis=0)
        noise2 = max(LEAST_NOISE**2, float(np.median(off2)) / 1.386)
        robust = weight / np.square(1 + off2 / (GATE**2 * noise2))
    return Growth(1 + float(found[2]), ALIKE * noise2 * float(inverse[2, 2]), found[:2])


class Approach:
    """A Kalman filter for each object: what its flow says of its growth, and what its size does."""

    def __init__(self) -> None:
        self._states: dict[int, _State] = {}

    def keep(self, labels: set[int]) -> None:
        """Forget all other objects."""
        self._states = {label: state for label, state in self._states.items() if label in labels}

    def __call__(self, label: int, found: Growth | None, size: float | None, seconds: float) -> float | None:
        """Take a pair in and return the rate of growth, 1/s; None where it cannot be told from none.

        Parameters
        ----------
        label : of the object
        found : between the pair's frames
        size : its side, if the picture shows it as a whole, pixels
        seconds : from reference to target, < 0 where that is the earlier one
        """
        state = self._states.setdefault(label, _State())
        state.predict(abs(seconds))
        if found is not None:
            state.measure(1, (1 - 1 / found.scale) / seconds, found.variance / seconds**2)
        if size is None:
            state.forget_size()
        else:
            state.measure(0, float(np.log(size)), SIZE_ERROR**2)
        rate, sigma = float(state.values[1]), float(np.sqrt(state.covariance[1, 1]))
        return rate if rate > CLEARLY * sigma else None


class _State:
    """Logarithm of an object's size in pixels, and its rate of growth in 1/s."""

    def __init__(self) -> None:
        self.values, self.covariance = np.zeros(2), np.diag([UNKNOWN_SIZE, 1.0])

    def predict(self, seconds: float) -> None:
        """At a steady speed a rate r grows by r^2 a second."""
        rate = self.values[1]
        F = np.array([[1, seconds], [0, 1 + 2 * rate * seconds]])
        self.values = self.values + seconds * np.array([rate, rate**2])
        self.covariance = F @ self.covariance @ F.T + np.diag([0, BRAKING**2 * seconds])

    def measure(self, index: int, value: float, variance: float) -> None:
        """Take in what was found of one of the two."""
        gain = self.covariance[:, index] / (self.covariance[index, index] + variance)
        self.values = self.values + gain * (value - self.values[index])
        self.covariance = self.covariance - np.outer(gain, self.covariance[index])

    def forget_size(self) -> None:
        """The outline is not all of the object's."""
        self.covariance = np.diag([UNKNOWN_SIZE, self.covariance[1, 1]])
