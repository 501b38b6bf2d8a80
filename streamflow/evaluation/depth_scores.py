"""Scores of depth against dense or sparse truth: the unit is free, one scale a frame or one a segment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamflow.evaluation import metrics
from streamflow.evaluation.truth import PairTruth
from streamflow.values import Depth

SAMPLES = 40_000  # pixels of a frame that are kept until its segment's scale is known
WILD = 3.0  # factor by which a wild claim is off
SURE = 0.3  # stated relative standard deviation below which a value is a claim

Claims = NDArray[np.float32]  # (3, N): inverse depth, its truth, its stated standard deviation


class FrameDepthScores:
    """Every frame has a scale of its own; scores are means over the frames."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._values: dict[str, list[float]] = defaultdict(list)

    def add(self, depth: Depth, truth: PairTruth) -> None:
        """Compare one frame with its truth."""
        self._values["depth_coverage"].append(_coverage(depth, truth))
        claims = _claims(depth, truth)
        if claims.size:
            for key, value in _scored(_scaled(claims)).items():
                self._values[key].append(value)

    def summary(self) -> dict[str, Any]:
        """Return the record; empty without a frame."""
        # The median of medians, for a single frame that went wrong has a scale that went wrong.
        return {
            self._prefix + key: float((np.median if key.endswith("_median") else np.mean)(values))
            for key, values in self._values.items()
        }


class SegmentDepthScores:
    """All frames of a segment share one scale; scores are over all pixels of all segments."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._coverages: list[float] = []
        self._segments: dict[int, list[Claims]] = defaultdict(list)

    def add(self, depth: Depth, truth: PairTruth, segment: int) -> None:
        """Take one frame of a segment in."""
        self._coverages.append(_coverage(depth, truth))
        claims = _claims(depth, truth)
        self._segments[segment].append(claims[:, :: max(1, claims.shape[1] // SAMPLES)])

    def summary(self) -> dict[str, Any]:
        """Return the record; empty without a frame."""
        if not self._coverages:
            return {}
        record = {"depth_coverage": float(np.mean(self._coverages))}
        claims = _joined(_scaled(_joined(each)) for each in self._segments.values())
        if claims.size:
            record |= _scored(claims)
        return {self._prefix + key: value for key, value in record.items()}


def _coverage(depth: Depth, truth: PairTruth) -> float:
    """Share of the truth's pixels whose depth was found."""
    assert truth.inverse_depth is not None
    judged = np.isfinite(truth.inverse_depth) & truth.judged
    return float(np.isfinite(depth.inverse[judged]).mean()) if judged.any() else 0.0


def _claims(depth: Depth, truth: PairTruth) -> Claims:
    """(3, N) of the pixels known in both, in world units but for the scale."""
    assert truth.inverse_depth is not None and truth.visible is not None
    known = np.isfinite(depth.inverse) & (truth.inverse_depth > 0) & truth.visible & truth.judged
    true = truth.inverse_depth[known] / (truth.step if np.isfinite(truth.step) else 1)
    return np.stack([depth.inverse[known], true, np.sqrt(depth.variance[known])]).astype(np.float32)


def _joined(parts: Iterable[Claims]) -> Claims:
    return np.concatenate(list(parts), axis=1)


def _scaled(claims: Claims) -> Claims:
    """The same with the median ratio of found and true inverse depth taken out."""
    if not claims.size:
        return claims
    scale = np.median(claims[0] / claims[1])
    return np.stack([claims[0] / scale, claims[1], claims[2] / abs(scale)])


def _scored(claims: Claims) -> dict[str, float]:
    """Scores of claims whose scale is taken out."""
    found, true, deviation = claims
    ratio = found / true
    wild = (ratio > WILD) | (ratio < 1 / WILD)
    return {
        "depth_error_median": float(np.median(abs(ratio - 1))),
        "depth_within_5_percent": float(np.mean(abs(ratio - 1) < 0.05)),
        "depth_abs_rel": metrics.absolute_relative_error(found, true, np.ones(true.shape, np.bool_), 1.0),
        "depth_inside_2_sigma": float(np.mean(abs(found - true) < 2 * deviation)),
        "wild_percent": float(100 * np.mean(wild & (deviation < SURE * abs(found)))),
    }
