"""The scores of a sequence: every pair is compared with its truth, the summary is one flat record."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import numpy as np

from streamflow.depth.completion import completed
from streamflow.evaluation import metrics
from streamflow.evaluation.camera_scores import CameraScores
from streamflow.evaluation.depth_scores import FrameDepthScores, SegmentDepthScores
from streamflow.evaluation.flicker import Flicker
from streamflow.evaluation.object_scores import ObjectScores
from streamflow.evaluation.trajectory_scores import TrajectoryScores
from streamflow.evaluation.truth import PairTruth
from streamflow.geometry.epipole import pixel
from streamflow.geometry.focal_error import motion_covariance
from streamflow.values import Flow, Map, Motion, Result


class Scores:
    """Collects the errors of one sequence.

    Flow and motion scores, and depth with one scale a pair: means and medians over the pairs. Fused depth:
    one scale a segment.
    """

    def __init__(self) -> None:
        self._values: dict[str, list[float]] = defaultdict(list)
        self._statuses: Counter[str] = Counter()
        self._flicker, self._fused_flicker = Flicker(), Flicker()
        self._camera, self._objects = CameraScores(), ObjectScores()
        self._depth, self._fused = FrameDepthScores(""), SegmentDepthScores("fused_")
        self._filled, self._trajectory = SegmentDepthScores("filled_"), TrajectoryScores()

    def add(self, result: Result, truth: PairTruth) -> None:
        """Compare one pair with its truth."""
        self._values["ms_per_pair"].append(sum(result.timing.values()))
        if result.flow is not None and truth.vectors is not None:
            self._add_flow(result.flow, truth)
        if result.motion is not None and truth.rotation is not None:
            self._add_motion(result.motion, truth, result)
        if truth.camera is not None:
            self._camera.add(result, truth, truth.camera)
        if result.objects is not None:
            self._objects.add(result.objects, truth.labels, truth.ignored)
        if result.depth is not None and truth.inverse_depth is not None:
            self._depth.add(result.depth, truth)
            if not result.pair.forward and truth.vectors is not None and truth.step > 0:
                ratio = result.depth.inverse / truth.inverse_depth
                self._add_flicker("depth_flicker", self._flicker, ratio, truth)

    def add_fused(self, result: Result, truth: PairTruth) -> None:
        """Take one frame of a fused sequence in, the target of each the reference of the one before."""
        self._trajectory.add(result)
        if result.depth is None or truth.inverse_depth is None:
            return
        segment = result.segment
        self._fused.add(result.depth, truth, segment)
        self._filled.add(completed(result.depth, result.pair.reference.grey), truth, segment)
        if truth.vectors is not None and truth.step > 0:
            ratio = result.depth.inverse / (truth.inverse_depth / truth.step)
            self._add_flicker("fused_depth_flicker", self._fused_flicker, ratio, truth)

    def summary(self) -> dict[str, Any]:
        """Return the record; a score that has no truth is left out."""
        record: dict[str, Any] = {}
        for key, values in self._values.items():
            # The median of the times, for the first pair may have waited for the compiler.
            typical = np.median if key.endswith("_median") or key == "ms_per_pair" else np.mean
            record[key] = float(typical(values))
        for key in ("direction_error_deg", "rotation_error_deg", "epipole_error_px"):
            if errors := self._values.get(key):
                del record[key]
                record[f"{key}_median"] = float(np.median(errors))
                record[f"{key}_p90"] = float(np.percentile(errors, 90))
        if self._statuses:
            total = sum(self._statuses.values())
            record["statuses"] = {name: count / total for name, count in self._statuses.most_common()}
        for scores in (self._camera, self._objects, self._depth, self._fused, self._filled, self._trajectory):
            record |= scores.summary()
        return record

    def _add_flow(self, flow: Flow, truth: PairTruth) -> None:
        assert truth.vectors is not None
        error = metrics.endpoint_error(flow.vectors, truth.vectors)
        known = np.isfinite(error) if truth.visible is None else np.isfinite(error) & truth.visible
        errors = error[known]
        add = self._values
        add["epe_mean"].append(float(errors.mean()))
        add["epe_median"].append(float(np.median(errors)))
        angular = metrics.angular_error(flow.vectors, truth.vectors)
        add["aae_deg"].append(float(angular[known].mean()))
        add["fl_percent"].append(metrics.outlier_share(np.where(known, error, np.nan), truth.vectors))
        if np.isfinite(flow.sigma).any():
            add["top50_epe"].append(metrics.most_confident(errors, flow.sigma[known]))
            add["ausr"].append(metrics.ausr(errors, flow.sigma[known]))
            add["sigma_calibration"].append(metrics.calibration(errors, flow.sigma[known]))
        add["ausr_smin"].append(metrics.ausr(errors, -flow.smin[known]))

    def _add_motion(self, motion: Motion, truth: PairTruth, result: Result) -> None:
        assert truth.rotation is not None and truth.translation is not None
        self._statuses[str(motion.status)] += 1
        if motion.rotation is not None:
            self._values["rotation_error_deg"].append(metrics.rotation_angle(motion.rotation, truth.rotation))
        if motion.translation is None or motion.rotation is None or truth.epipole is None:
            return
        found = motion.rotation.T @ motion.translation.direction
        true = truth.rotation.T @ truth.translation
        self._values["direction_error_deg"].append(metrics.angle(found, true))
        covariance = motion_covariance(motion, result.focal_sigma)
        assert covariance is not None
        surprise = metrics.direction_surprise(motion.translation.direction, covariance, truth.translation)
        self._values["direction_inside_2_sigma"].append(float(surprise < metrics.INSIDE_TWO_SIGMA))
        at, true_at = (pixel(e, result.camera_matrix) for e in (motion.translation.epipole, truth.epipole))
        if at is not None and true_at is not None:
            self._values["epipole_error_px"].append(float(np.linalg.norm(at - true_at)))

    def _add_flicker(self, name: str, flicker: Flicker, ratio: Map, truth: PairTruth) -> None:
        assert truth.vectors is not None and truth.visible is not None
        value = flicker.add(ratio, truth.vectors, truth.visible)
        if value is not None:
            self._values[name].append(value)
