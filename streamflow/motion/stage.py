"""The motion stage: the camera's motion of a pair, started from that of the pair before."""

from __future__ import annotations

from typing import Literal

from streamflow.motion.estimate import estimate_motion
from streamflow.motion.sampling import sample
from streamflow.values import Flow, FramePair, Matrix, Motion, Status

SYSTEMATIC = 0.0044  # radians (.25 degrees): what the calibration of a real camera leaves of the direction


class MotionStage:
    """Binds the options; remembers the last motion as the prior of the next."""

    def __init__(self, model: Literal["full", "translation"]) -> None:
        self._model = model
        self._prior: Motion | None = None

    def __call__(self, pair: FramePair, flow: Flow, camera_matrix: Matrix) -> Motion:
        """Estimate the motion, and remember it where it is known."""
        motion = self.estimate(pair, flow, camera_matrix, self._prior)
        if motion.status is Status.MOVING:
            self._prior = motion
        return motion

    def estimate(
        self, pair: FramePair, flow: Flow, camera_matrix: Matrix, prior: Motion | None = None
    ) -> Motion:
        """Estimate the motion from the pixels whose smin reaches the threshold; remembers nothing."""
        return estimate_motion(
            sample(flow.vectors, flow.evident, pair.reference.grey),
            camera_matrix,
            prior=prior,
            seed=pair.reference.index,
            model=self._model,
            forward_in_time=pair.forward,
            systematic=SYSTEMATIC,
        )

    def reset(self) -> None:
        """Forget the last motion."""
        self._prior = None
