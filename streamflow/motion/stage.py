"""The motion stage: the camera's motion of a pair, started from that of the pair before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from streamflow.geometry.camera import Camera
from streamflow.motion.estimate import estimate_motion
from streamflow.motion.focal_length import FocalLengthFilter
from streamflow.motion.sampling import sample, without_copies
from streamflow.motion.selection import likeliest
from streamflow.motion.status_filter import StatusFilter
from streamflow.values import Evidence, Flow, FramePair, Matrix, Motion, Status

SYSTEMATIC = 0.0044  # radians (.25 degrees): what the calibration of a real camera leaves of the direction


class MotionStage:
    """Binds the options; remembers the last motion, and how probable each status is."""

    def __init__(self, model: Literal["full", "translation"]) -> None:
        self._model = model
        self._prior: Motion | None = None
        self._status = StatusFilter()
        self._focal_length = FocalLengthFilter()

    def __call__(self, pair: FramePair, flow: Flow, camera: Camera) -> Motion:
        """Estimate the motion, and remember it where it is known."""
        motion = self._estimated(pair, flow, camera, self._prior, self.log_focals(camera), self._status)
        self._focal_length.update(motion, camera)
        if motion.status is Status.MOVING:
            self._prior = motion
        return motion

    def estimate(
        self, pair: FramePair, flow: Flow, camera: Camera, prior: Motion, log_focals: Matrix | None
    ) -> Motion:
        """Estimate the motion of one pair by itself; uses and keeps nothing remembered."""
        return self._estimated(pair, flow, camera, prior, log_focals, likeliest)

    def _estimated(
        self,
        pair: FramePair,
        flow: Flow,
        camera: Camera,
        prior: Motion | None,
        log_focals: Matrix | None,
        choose: Callable[[Evidence], Status],
    ) -> Motion:
        """From the pixels whose smin reaches the threshold, and which the codec did not copy."""
        grey = pair.reference.grey
        return estimate_motion(
            sample(flow.vectors, without_copies(flow.evident, grey, pair.target.grey), grey),
            camera.matrix,
            prior=prior,
            seed=pair.reference.index,
            model=self._model,
            forward_in_time=pair.forward,
            systematic=SYSTEMATIC,
            log_focals=log_focals,
            choose=choose,
        )

    def log_focals(self, camera: Camera) -> Matrix | None:
        """Logarithms (G,) of focal lengths, over that of the camera, that it may have; None: it is known."""
        return self._focal_length.to_try(camera)

    def camera(self, camera: Camera) -> Camera:
        """Return the camera with the focal length that the stream has shown, if nobody gave one."""
        return self._focal_length.applied_to(camera)

    def reset(self) -> None:
        """Forget the stream, but not the lens: what follows was filmed with it too."""
        self._prior = None
        self._status.reset()

    def forget_lens(self) -> None:
        """Forget the focal length: what follows may come from another camera."""
        self._focal_length.reset()
