"""The estimate from the coarsest level to the finest: candidates fused, refined, smoothed."""

import cv2
import numpy as np
from numpy.typing import NDArray

from streamflow.flow.candidates import keep_better
from streamflow.flow.dis import SMALLEST, DenseInverseSearch
from streamflow.flow.final_step import final_step
from streamflow.flow.level_flow import LevelFlow
from streamflow.flow.plane_alignment import align
from streamflow.flow.plane_choice import PlaneChoice, brightness, warp
from streamflow.flow.plane_homography import Plane
from streamflow.flow.plane_search import PlaneSearch
from streamflow.flow.presets import Preset
from streamflow.flow.pyramid import FULL_SIZE_DAMPING, Level, sizes
from streamflow.flow.sigma import WITH_PLANES, WITHOUT_PLANES, ErrorModel, disagreement, predict_error
from streamflow.flow.upsample import upsample, upsample_interleaved
from streamflow.flow.variational import VariationalRefinement

Flow = NDArray[np.float32]
Levels = tuple[Level, ...]

_HALF, _QUARTER, _EIGHTH = 1, 2, 3
_COARSE_PENALTY = 1.1
_FINE_PENALTY = 1.35
_PLANES = 4


class CoarseToFine:
    """The estimate for frames of one size, with its buffers."""

    def __init__(self, height: int, width: int, preset: Preset) -> None:
        shapes = sizes(height, width)
        self._preset = preset
        self._flows = [LevelFlow(*shape) for shape in shapes]
        self._before = np.empty_like(self._flows[_HALF].flow)
        self._half_size = VariationalRefinement(*shapes[_HALF], weight=1.0, sweeps=4)
        self._full_size: VariationalRefinement | None = None
        if preset.full_size_rounds:
            self._full_size = VariationalRefinement(*shapes[0], weight=0.5, sweeps=8)
        self._search: DenseInverseSearch | None = None
        if len(shapes) > _QUARTER and min(shapes[_QUARTER]) >= SMALLEST:
            self._search = DenseInverseSearch()
            self._seed = LevelFlow(*shapes[_QUARTER])
            self._plane_search = PlaneSearch(*shapes[_QUARTER])
            self._plane_choice = PlaneChoice(*shapes[_QUARTER])

    def __call__(self, reference: Levels, target: Levels, start: Flow | None = None) -> tuple[Flow, Flow]:
        """Return vectors (H, W, 2) and sigma (H, W), fresh arrays; refined from `start` if there is one."""
        half = self._flows[_HALF]
        if start is None:
            apart, model = self._begin(reference, target)
        else:
            np.multiply(start.transpose(2, 0, 1), np.float32(0.5), out=half.flow)
            apart, model = self._sharpened(reference[_HALF], target[_HALF]), WITHOUT_PLANES
        self._refine(reference[_HALF], target[_HALF])
        sigma = predict_error(half.ssd, reference[_HALF].smallest_eigenvalue, apart, model)
        height, width = reference[0].grey.shape
        full_sigma: Flow = cv2.resize(sigma, (width, height))  # type: ignore[assignment]
        gain = self._gain(reference, target, sigma)
        for _ in range(self._preset.half_size_rounds):
            self._half_size(reference[_HALF], target[_HALF], gain, half.flow)
        return self._at_full_size(reference[0], target[0], gain), full_sigma

    def _begin(self, reference: Levels, target: Levels) -> tuple[Flow, ErrorModel]:
        """Find the flow at half size; return how far two estimates of it are apart, and what that tells.

        An image too small for the seed has one: what its last iteration changed stands in.
        """
        self._rise(reference, target)
        apart = None
        if self._search is not None:
            apart = self._fuse(self._search, reference, target)
        half = self._flows[_HALF]
        if len(reference) > _QUARTER:
            upsample(self._flows[_QUARTER].flow, half.flow)
        if apart is None:
            return self._sharpened(reference[_HALF], target[_HALF]), WITHOUT_PLANES
        half.iterate(reference[_HALF], target[_HALF])
        height, width = half.ssd.shape
        return np.asarray(cv2.resize(2 * apart, (width, height)), np.float32), WITH_PLANES

    def _rise(self, reference: Levels, target: Levels) -> None:
        """Climb by Lucas-Kanade alone, from rest at the coarsest level up to a quarter of the size."""
        self._flows[-1].flow[:] = 0
        for k in range(len(reference) - 1, _HALF, -1):
            estimate = self._flows[k]
            if k < len(reference) - 1:
                upsample(self._flows[k + 1].flow, estimate.flow)
            for _ in range(self._preset.coarse_iterations):
                estimate.refine(reference[k], target[k], _COARSE_PENALTY, translate_window=k != _QUARTER)

    def _fuse(self, search: DenseInverseSearch, references: Levels, targets: Levels) -> Flow:
        """At a quarter of the size, keep per pixel the best of the candidates; return how far they are apart.

        They are: what has risen from the coarsest level, the seed, the planes found in the better of the two.
        """
        reference, target = references[_QUARTER], targets[_QUARTER]
        quarter, seed = self._flows[_QUARTER], self._seed
        search(reference.grey, target.grey, seed.flow)
        for _ in range(2):
            seed.refine(reference, target, _COARSE_PENALTY, translate_window=False)
        for estimate in (quarter, seed):
            estimate.iterate(reference, target, translate_window=False)
        apart = disagreement(quarter.flow, seed.flow)
        keep_better(quarter.flow, quarter.ssd, seed.flow, seed.ssd)
        sigma = predict_error(quarter.ssd, reference.smallest_eigenvalue, apart, WITHOUT_PLANES)
        for k in range(self._preset.plane_rounds):
            if k > 0:
                quarter.iterate(reference, target, translate_window=False)
            planes = self._planes(references, targets, sigma)
            self._plane_choice(planes, reference, target, quarter.flow, sigma)
        quarter.refine(reference, target, _COARSE_PENALTY, translate_window=False)
        return np.maximum(apart, disagreement(quarter.flow, seed.flow))

    def _planes(self, references: Levels, targets: Levels, sigma: Flow) -> list[Plane]:
        """Return the planes of the flow at a quarter of the size, aligned first at an eighth."""
        flow = self._flows[_QUARTER].flow
        planes = self._plane_search(flow, sigma, _PLANES)
        for k, iterations in ((_EIGHTH, 5), (_QUARTER, 2)):
            if k < len(references):
                planes = align(planes, references[k], targets[k], flow, sigma, iterations)
        return planes

    def _sharpened(self, reference: Level, target: Level) -> Flow:
        """Iterate once at half size, and return how much that changed."""
        half = self._flows[_HALF]
        self._before[:] = half.flow
        half.iterate(reference, target)
        return disagreement(half.flow, self._before)

    def _refine(self, reference: Level, target: Level) -> None:
        half = self._flows[_HALF]
        half.smooth(reference)
        for _ in range(self._preset.half_size_iterations):
            half.refine(reference, target, _FINE_PENALTY)

    def _gain(self, reference: Levels, target: Levels, sigma: Flow) -> float:
        """Contrast of the target over that of the reference, from the half-size flow seen at an eighth."""
        k = min(_EIGHTH, len(reference) - 1)
        step = 1 << (k - _HALF)
        flow = np.ascontiguousarray(self._flows[_HALF].flow[:, ::step, ::step]) / np.float32(step)
        warped = np.empty(flow.shape[1:], np.float32)
        warp(target[k].grey_neighbours, flow, warped)
        gain, _ = brightness(reference[k].grey, warped, np.ascontiguousarray(sigma[::step, ::step]))
        return round(float(gain), 3)  # it is not known better, and of two equal frames it is one

    def _at_full_size(self, reference: Level, target: Level, gain: float) -> Flow:
        height, width = reference.grey.shape
        vectors = np.empty((height, width, 2), np.float32)
        half, interleaved = self._flows[_HALF].flow, vectors.reshape(height, 2 * width)
        if not self._preset.full_size:
            upsample_interleaved(half, interleaved)
            return vectors
        final_step(reference.image, target.neighbours.reshape(-1), half, interleaved, FULL_SIZE_DAMPING)
        if self._full_size is not None:
            full = np.ascontiguousarray(vectors.transpose(2, 0, 1))
            for _ in range(self._preset.full_size_rounds):
                self._full_size(reference, target, gain, full)
            cv2.merge(tuple(full), vectors)
        return vectors
