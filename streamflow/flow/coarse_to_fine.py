"""The estimate from the coarsest level to the finest: two candidates, fused, refined by Lucas-Kanade."""

import cv2
import numpy as np
from numpy.typing import NDArray

from streamflow.flow.dis import SMALLEST, DenseInverseSearch
from streamflow.flow.fusion import keep_better
from streamflow.flow.lucas_kanade import lucas_kanade_step
from streamflow.flow.pyramid import Level, sizes
from streamflow.flow.sigma import predict_error
from streamflow.flow.smoothing import confidence_weighted_mean
from streamflow.flow.upsample import upsample
from streamflow.flow.window_shift import shift_windows

_SEED_LEVEL = 2
_FUSION_LEVEL = 1
_ITERATIONS = {2: 6, 3: 8}
_ITERATIONS_BELOW = 10
_COARSE_PENALTY = 1.2
_FINE_PENALTY = 1.35


class Estimate:
    """A flow at one level, its residual, and a second pair of buffers to write the next one into."""

    def __init__(self, height: int, width: int) -> None:
        self.flow = np.zeros((2, height, width), np.float32)
        self.residual = np.zeros((height, width), np.float32)
        self._next_flow = np.zeros_like(self.flow)
        self._next_residual = np.zeros_like(self.residual)

    def iterate(self, reference: Level, target: Level, penalty: float) -> None:
        """One Lucas-Kanade iteration, then the window shift."""
        lucas_kanade_step(
            reference.image,
            reference.gradient,
            reference.inverse,
            target.neighbours.reshape(-1),
            self.flow,
            self._next_flow,
            self.residual,
        )
        self._swap()
        shift_windows(self.flow, self.residual, penalty, self._next_flow, self._next_residual)

    def median(self, size: int) -> None:
        """Replace each component by its median over size x size windows."""
        for component, out in zip(self.flow, self._next_flow, strict=True):
            cv2.medianBlur(component, size, dst=out)
        self._swap()

    def smooth(self, reference: Level) -> None:
        """Replace the flow by its confidence-weighted mean."""
        confidence_weighted_mean(self.flow, self.residual, reference.smallest_eigenvalue, self._next_flow)
        self._swap()

    def _swap(self) -> None:
        self.flow, self._next_flow = self._next_flow, self.flow


class CoarseToFine:
    """The estimate for frames of one size."""

    def __init__(self, height: int, width: int, finest: int) -> None:
        shapes = sizes(height, width)
        self._finest = min(finest, len(shapes) - 1)
        self._estimates = [Estimate(*shape) for shape in shapes]
        self._others = [Estimate(*shape) for shape in shapes[:3]]
        self._seed = DenseInverseSearch() if len(shapes) > 2 and min(shapes[2]) >= SMALLEST else None
        self._sigma = np.empty(shapes[self._finest], np.float32)

    def __call__(self, reference: tuple[Level, ...], target: tuple[Level, ...]):
        start = min(_SEED_LEVEL, len(reference) - 1)
        self._coarse(reference, target, start)
        estimate = self._estimates[start]
        if self._seed is not None:
            self._seed(reference[start].grey, target[start].grey, self._others[start].flow)
        for k in range(start - 1, self._finest - 1, -1):
            upsample(estimate.flow, self._estimates[k].flow)
            estimate = self._estimates[k]
            estimate.iterate(reference[k], target[k], _FINE_PENALTY)
            if k == _FUSION_LEVEL:
                self._fuse_seed(reference[k], target[k])
                for _ in range(2):
                    estimate.smooth(reference[k])
                    estimate.iterate(reference[k], target[k], _FINE_PENALTY)
                estimate.median(5)
                estimate.smooth(reference[k])
            else:
                estimate.median(3)
        predict_error(
            estimate.flow, estimate.residual, reference[self._finest].smallest_eigenvalue, self._sigma
        )
        return self._at_full_size(estimate.flow)

    def _at_full_size(self, flow: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return fresh arrays at the size of the frame."""
        height, width = self._estimates[0].residual.shape
        sigma = self._sigma.copy()
        if self._finest > 0:
            upsample(flow, self._estimates[0].flow)
            flow = self._estimates[0].flow
            sigma = cv2.resize(2 * self._sigma, (width, height))
        return cv2.merge(tuple(flow), np.empty((height, width, 2), np.float32)), sigma

    def _coarse(self, reference: tuple[Level, ...], target: tuple[Level, ...], start: int) -> None:
        self._estimates[-1].flow[:] = 0
        for k in range(len(reference) - 1, start - 1, -1):
            estimate = self._estimates[k]
            for _ in range(_ITERATIONS.get(k, _ITERATIONS_BELOW)):
                estimate.iterate(reference[k], target[k], _COARSE_PENALTY)
            estimate.median(5)
            if k > start:
                upsample(estimate.flow, self._estimates[k - 1].flow)

    def _fuse_seed(self, reference: Level, target: Level) -> None:
        if self._seed is None:
            return
        estimate, other = self._estimates[_FUSION_LEVEL], self._others[_FUSION_LEVEL]
        upsample(self._others[_SEED_LEVEL].flow, other.flow)
        other.iterate(reference, target, _FINE_PENALTY)
        keep_better(estimate.flow, estimate.residual, other.flow, other.residual)
