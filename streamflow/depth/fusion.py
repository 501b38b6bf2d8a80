"""Depth over time: a filter that remembers, in one unit along the sequence."""

from dataclasses import replace

import numpy as np

from streamflow.depth.kalman import leaves_image, predict, update
from streamflow.depth.scale import step_length, unit_length
from streamflow.depth.triangulation import Matrix, Vector, Vectors
from streamflow.values import Depth, Unknown


class DepthFusion:
    """Fused depth of a stream whose pairs have the newest frame as reference and the previous as target.

    Its unit is the first step since the last reset; `Depth.step` is the length of the newest step in it.

    Every pair carries the depth of the previous frame over, and measures it once more. Over a longer way
    than one step the measurement is better: give `keyframe`, the depth against the earlier
    one that `streamflow.depth.keyframe.KeyframeSelector` names.
    """

    def __init__(self, K: Matrix) -> None:
        self.K = K
        self._fused: Depth | None = None

    def reset(self) -> None:
        """Forget: after a cut or a gap, or when the camera's motion is not known for a pair."""
        self._fused = None

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
        fused = self._joined(vectors, R, T, pair, keyframe) if self._fused else None
        self._fused = fused or _fresh(pair)
        return self._fused

    def hold(self, vectors: Vectors, R: Matrix) -> Depth | None:
        """Carry depth over a pair in which the camera only turned, or stood still, and measured nothing.

        Parameters
        ----------
        vectors, R : flow and rotation from the newest frame to the previous one.

        Returns
        -------
        Depth with a step of 0; None when nothing is remembered.
        """
        if self._fused is None:
            return None
        unknown = leaves_image(vectors) * np.uint8(Unknown.OUTSIDE)
        inverse, variance = self._fused.inverse, self._fused.variance
        predicted, spread = predict(inverse, variance, vectors, unknown, self.K, R, np.zeros(3))
        nothing = np.full_like(predicted, np.nan)
        self._fused = replace(update(predicted, spread, Depth(nothing, nothing, unknown), 1.0), step=0.0)
        return self._fused

    def _joined(
        self, vectors: Vectors, R: Matrix, T: Vector, pair: Depth, keyframe: Depth | None
    ) -> Depth | None:
        assert self._fused is not None
        inverse, variance = self._fused.inverse, self._fused.variance
        step = step_length(inverse, variance, pair, vectors, self.K, R, T)
        if step is None:
            return None
        predicted, spread = predict(inverse, variance, vectors, pair.unknown, self.K, R, step * T)
        unit = unit_length(predicted, spread, keyframe) if keyframe else None
        measured, unit = (keyframe, unit) if keyframe and unit else (pair, step)
        return replace(update(predicted, spread, measured, unit), step=step)


def _fresh(pair: Depth) -> Depth:
    nothing = np.full_like(pair.inverse, np.nan)
    return replace(update(nothing, nothing, pair, unit=1.0), new_unit=True)
