"""Depth over time: a filter that remembers, in one unit along the sequence."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from streamflow.depth.kalman import leaves_image, predict, update
from streamflow.depth.scale import step_length, unit_length
from streamflow.depth.triangulation import Map, Matrix, Vector, Vectors
from streamflow.values import Depth, Unknown


class DepthFusion:
    """Fused depth of a stream whose pairs have the newest frame as reference and the previous as target.

    Its unit is the first step since the last reset; `Depth.step` is the length of the newest step in it.

    Every pair carries the depth of the previous frame over, and measures it once more. Over a longer way
    than one step the measurement is better: give `keyframe`, the depth against the earlier
    one that `streamflow.depth.keyframe.KeyframeSelector` names.

    The filter takes errors for independent, which is how to weigh them. What it states allows for that the
    measurements of a point share a part of theirs, the same texture with the same edges about it: of the best
    one's variance that part remains, however many there are (as in covariance intersection, Julier & Uhlmann
    1997, no correlation has to be known).

    Parameters
    ----------
    K : camera matrix, pixels.
    shared : that part.
    """

    def __init__(self, K: Matrix, shared: float = 0.0) -> None:
        self.K = K
        self._shared = np.float32(shared)
        self._filtered: Depth | None = None  # as if errors were independent
        self._common: Map | None = None  # (H, W) variance that stays

    def reset(self) -> None:
        """Forget: after a cut or a gap, or when the camera's motion is not known for a pair."""
        self._filtered = None

    def __call__(
        self, vectors: Vectors, R: Matrix, T: Vector, pair: Depth, keyframe: Depth | None = None
    ) -> Depth:
        """Take the newest pair in; start afresh when its scale cannot be told from what is remembered.

        Parameters
        ----------
        vectors, R, T : flow and motion from the newest frame to the previous one.
        pair : depth from them.
        keyframe : depth of the newest frame against an earlier one, in steps of that pair.
        """
        fused = self._joined(vectors, R, T, pair, keyframe) if self._filtered else None
        return fused or self._begun(pair)

    def hold(self, vectors: Vectors, R: Matrix, T: Vector, step: float, error: float) -> Depth | None:
        """Carry depth over a pair that measured nothing.

        Parameters
        ----------
        vectors, R, T : flow and motion from the newest frame to the previous one.
        step : length of T in the unit of depth; 0 for a camera that only turned, or stood still.
        error : relative standard deviation that depth gains on the way.

        Returns
        -------
        None when nothing is remembered.
        """
        if self._filtered is None:
            return None
        unknown = np.where(leaves_image(vectors), np.uint8(Unknown.OUTSIDE), np.uint8(Unknown.NO_MOTION))
        predicted, spread, common = self._predicted(vectors, unknown, R, step * T)
        gained = np.square(np.float32(error) * predicted)
        nothing = np.full_like(predicted, np.nan)
        held = update(predicted, spread + gained, Depth(nothing, nothing, unknown), unit=1.0)
        return self._remembered(replace(held, step=step, held=True), common + gained)

    def _joined(
        self, vectors: Vectors, R: Matrix, T: Vector, pair: Depth, keyframe: Depth | None
    ) -> Depth | None:
        assert self._filtered is not None
        inverse, variance = self._filtered.inverse, self._filtered.variance
        step = step_length(inverse, variance, pair, vectors, self.K, R, T)
        if step is None:
            return None
        predicted, spread, common = self._predicted(vectors, pair.unknown, R, step * T)
        unit = unit_length(predicted, spread, keyframe) if keyframe else None
        measured, unit = (keyframe, unit) if keyframe and unit else (pair, step)
        filtered = update(predicted, spread, measured, unit)
        least = np.fmin(common, self._shared / np.float32(unit**2) * measured.variance)
        return self._remembered(replace(filtered, step=step), least)

    def _begun(self, pair: Depth) -> Depth:
        nothing = np.full_like(pair.inverse, np.nan)
        filtered = replace(update(nothing, nothing, pair, unit=1.0), new_unit=True)
        return self._remembered(filtered, self._shared * pair.variance)

    def _predicted(
        self, vectors: Vectors, unknown: NDArray[np.uint8], R: Matrix, step: Vector
    ) -> tuple[Map, Map, Map]:
        """Inverse depth, its variance, and the variance that stays, on the newest frame."""
        assert self._filtered is not None and self._common is not None
        way = vectors, unknown, self.K, R, step
        inverse, spread = predict(self._filtered.inverse, self._filtered.variance, *way)
        return inverse, spread, predict(self._filtered.inverse, self._common, *way)[1]

    def _remembered(self, filtered: Depth, common: Map) -> Depth:
        """Keep both, and return the depth with the variance that is stated of it."""
        self._filtered, self._common = filtered, common
        stated = np.maximum(filtered.variance, common)
        return replace(filtered, variance=stated, scatter=filtered.variance)
