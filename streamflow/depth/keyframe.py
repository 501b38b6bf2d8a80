"""Which earlier frame shows the depth of the newest best."""

from collections import deque
from typing import Generic, TypeVar

import numpy as np

from streamflow.depth.triangulation import Matrix, Vectors

F = TypeVar("F")
SPACING = 16  # pixels between the samples of the parallax


def median_parallax(vectors: Vectors, K: Matrix, R: Matrix) -> float:
    """Motion in pixels that rotation does not explain, in the median of the image."""
    height, width = vectors.shape[:2]
    x = np.stack(np.meshgrid(np.arange(0, width, SPACING), np.arange(0, height, SPACING)), axis=-1)
    turned = np.concatenate([x, np.ones_like(x[..., :1])], axis=-1) @ (K @ R @ np.linalg.inv(K)).T
    parallax = x + vectors[::SPACING, ::SPACING] - turned[..., :2] / turned[..., 2:]
    return float(np.nanmedian(np.hypot(parallax[..., 0], parallax[..., 1])))


class KeyframeSelector(Generic[F]):
    """Remember a few frames, and tell the latest one that lies far enough back to measure against.

    A short way leaves the parallax small against the flow's error, a long one makes the flow itself
    worse; depth is best at a parallax of about ten pixels. A frame once chosen is kept as long as it serves,
    so that what is known of it can be used again.

    Parameters
    ----------
    parallax : pixels from which the median motion serves, and beyond which another frame is chosen.
    longest : frames to remember.
    """

    def __init__(self, parallax: tuple[float, float] = (7.0, 14.0), longest: int = 12) -> None:
        self._least, self._most = parallax
        self._frames: deque[tuple[F, float]] = deque(maxlen=longest)
        self.reset()

    def reset(self) -> None:
        """Forget the frames: after a cut or a gap."""
        self._frames.clear()
        self._way = 0.0
        self._chosen: F | None = None

    def choose(self, previous: F, parallax: float) -> F | None:
        """Take the previous frame and the newest pair's median parallax in.

        Returns
        -------
        The frame to measure the newest one against, or None where the previous frame itself serves best.
        """
        self._frames.append((previous, self._way))
        self._way += parallax
        ways = [(frame, self._way - way) for frame, way in self._frames]
        kept = [frame for frame, way in ways if frame is self._chosen and self._least <= way <= self._most]
        far = [frame for frame, way in ways if way >= self._least]
        self._chosen = (kept or far or [ways[0][0]])[-1]
        return None if self._chosen is previous else self._chosen
