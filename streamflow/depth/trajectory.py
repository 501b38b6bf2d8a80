"""Where the camera has been: its pose in the unit of the depth, one step after the other."""

from __future__ import annotations

import numpy as np

from streamflow.values import Depth, FramePair, Matrix, Motion


class Trajectory:
    """Adds up the steps of a stream; the first frame of a segment is the origin.

    A pair whose motion is not known, but over which the depth was held, counts with the motion before it.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin at the origin: after a cut or a gap."""
        self._pose = np.eye(4)
        self._last = np.eye(3), np.zeros(3)  # R and T of the last pair that knew them

    def __call__(self, pair: FramePair, motion: Motion, depth: Depth) -> Matrix | None:
        """Pose (4, 4), camera to world, of the newest frame, in the unit of `depth.step`; None when lost.

        A pair without a length that relates it to those before it begins at the origin again.
        """
        if depth.new_unit:
            self.reset()
        if motion.rotation is not None:
            direction = np.zeros(3) if motion.translation is None else motion.translation.direction
            self._last = motion.rotation, direction
        elif not depth.held:
            self.reset()
            return None
        step = np.eye(4)
        step[:3, :3], step[:3, 3] = self._last[0], depth.step * self._last[1]
        self._pose = self._pose @ (np.linalg.inv(step) if pair.forward else step)
        return self._pose
