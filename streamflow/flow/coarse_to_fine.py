"""The estimate from the coarsest level to the finest: two candidates, fused, refined by Lucas-Kanade."""

import cv2
import numpy as np
from numpy.typing import NDArray

from streamflow.flow.dis import SMALLEST, DenseInverseSearch
from streamflow.flow.estimate import Estimate
from streamflow.flow.final_step import final_step
from streamflow.flow.fusion import keep_better
from streamflow.flow.presets import Preset
from streamflow.flow.pyramid import FULL_SIZE_DAMPING, Level, sizes
from streamflow.flow.sigma import disagreement, predict_error
from streamflow.flow.upsample import upsample, upsample_interleaved

Flow = NDArray[np.float32]
Levels = tuple[Level, ...]

_HALF, _QUARTER = 1, 2
_COARSE_PENALTY = 1.1
_FINE_PENALTY = 1.35


class CoarseToFine:
    """The estimate for frames of one size, with its buffers."""

    def __init__(self, height: int, width: int, preset: Preset) -> None:
        shapes = sizes(height, width)
        self._preset = preset
        self._estimates = [Estimate(*shape) for shape in shapes]
        self._seeds = [Estimate(*shape) for shape in shapes[:3]]
        seedable = len(shapes) > _QUARTER and min(shapes[_QUARTER]) >= SMALLEST
        self._search = DenseInverseSearch(preset.seed_finest_scale) if seedable else None

    def __call__(self, reference: Levels, target: Levels, start: Flow | None = None) -> tuple[Flow, Flow]:
        """Return vectors (H, W, 2) and sigma (H, W), fresh arrays; refined from `start` if there is one."""
        if start is None:
            self._rise(reference, target)
            apart = self._fuse(reference, target)
        else:
            np.multiply(start.transpose(2, 0, 1), np.float32(0.5), out=self._estimates[_HALF].flow)
            apart = self._sharpened(reference[_HALF], target[_HALF])
        self._refine(reference[_HALF], target[_HALF])
        sigma = predict_error(self._estimates[_HALF].residual, reference[_HALF].smallest_eigenvalue, apart)
        height, width = reference[0].grey.shape
        full_sigma: Flow = cv2.resize(sigma, (width, height))  # type: ignore[assignment]
        return self._at_full_size(reference[0], target[0]), full_sigma

    def _rise(self, reference: Levels, target: Levels) -> None:
        """Climb by Lucas-Kanade alone, from rest at the coarsest level up to half size."""
        self._estimates[-1].flow[:] = 0
        for k in range(len(reference) - 1, _HALF, -1):
            estimate = self._estimates[k]
            for _ in range(self._preset.coarse_iterations):
                estimate.refine(reference[k], target[k], _COARSE_PENALTY)
            upsample(estimate.flow, self._estimates[k - 1].flow)

    def _fuse(self, reference: Levels, target: Levels) -> Flow:
        """Keep at half size, per pixel, the better of the two candidates; return how far they are apart.

        An image too small for the seed has one candidate: what its last iteration changed stands in.
        """
        half, seed = self._estimates[_HALF], self._seeds[_HALF]
        if self._search is None:
            return self._sharpened(reference[_HALF], target[_HALF])
        half.iterate(reference[_HALF], target[_HALF])
        self._seed(self._search, reference, target)
        apart = disagreement(half.flow, seed.flow)
        keep_better(half.flow, half.residual, seed.flow, seed.residual)
        return apart

    def _sharpened(self, reference: Level, target: Level) -> Flow:
        """Iterate once at half size, and return how much that changed."""
        half, before = self._estimates[_HALF], self._seeds[_HALF].flow
        before[:] = half.flow
        half.iterate(reference, target)
        return disagreement(half.flow, before)

    def _refine(self, reference: Level, target: Level) -> None:
        half = self._estimates[_HALF]
        half.smooth(reference)
        for _ in range(self._preset.half_size_iterations):
            half.refine(reference, target, _FINE_PENALTY)

    def _seed(self, search: DenseInverseSearch, reference: Levels, target: Levels) -> None:
        """Make the other candidate at half size: dense inverse search, brought near by Lucas-Kanade."""
        quarter, half = self._seeds[_QUARTER], self._seeds[_HALF]
        search(reference[_QUARTER].grey, target[_QUARTER].grey, quarter.flow)
        quarter.refine(reference[_QUARTER], target[_QUARTER], _COARSE_PENALTY)
        quarter.refine(reference[_QUARTER], target[_QUARTER], _COARSE_PENALTY, smooth=False)
        upsample(quarter.flow, half.flow)
        half.iterate(reference[_HALF], target[_HALF])

    def _at_full_size(self, reference: Level, target: Level) -> Flow:
        full, half = self._estimates[0], self._estimates[_HALF]
        height, width = reference.grey.shape
        vectors = np.empty((height, width, 2), np.float32)
        pairs, iterations = vectors.reshape(height, 2 * width), self._preset.full_size_iterations
        if iterations == 0:
            upsample_interleaved(half.flow, pairs)
        elif iterations == 1:
            neighbours = target.neighbours.reshape(-1)
            final_step(reference.image, neighbours, half.flow, pairs, FULL_SIZE_DAMPING)
        else:
            upsample(half.flow, full.flow)
            for i in range(iterations):
                if i > 0:
                    full.smooth(reference)
                full.iterate(reference, target, FULL_SIZE_DAMPING)
            cv2.merge(tuple(full.flow), vectors)
        return vectors
