"""Scores of the camera's motion where only its kind, its heading or its field of view is known."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import numpy as np

from streamflow.evaluation import metrics
from streamflow.evaluation.truth import PairTruth
from streamflow.geometry.camera import field_of_view
from streamflow.geometry.focal_error import motion_covariance
from streamflow.values import CameraTruth, Motion, Result, Status, Translation

CLAIMS_TRANSLATION = (Status.MOVING, Status.PLANAR)


class CameraScores:
    """Collects the scores of one sequence."""

    def __init__(self) -> None:
        self._statuses: Counter[Status] = Counter()
        self._kind: str | None = None
        self._last: Status | None = None
        self._changes = self._transitions = 0
        self._errors: dict[str, list[float]] = defaultdict(list)

    def add(self, result: Result, truth: PairTruth, camera: CameraTruth) -> None:
        """Compare one pair with what is known of the camera."""
        if result.motion is None:
            return
        self._kind = camera.kind
        self._add_status(result.motion.status, starts=result.pair.starts_segment is not None)
        if camera.fov is not None:
            off = field_of_view(result.camera_matrix, result.pair.reference.size) / camera.fov - 1
            self._errors["fov_error_percent"].append(100 * abs(off))
        # Where poses are known the heading is judged on them.
        if camera.epipole is not None and truth.rotation is None and result.motion.translation is not None:
            self._add_heading(result.motion, result.motion.translation, camera, result)

    def summary(self) -> dict[str, Any]:
        """Return the record; a score that has no truth is left out."""
        if not self._statuses:
            return {}
        total = self._statuses.total()
        record: dict[str, Any] = {
            "statuses": {str(status): count / total for status, count in self._statuses.most_common()},
            "status_changes_per_100": 100 * self._changes / max(self._transitions, 1),
        }
        if self._kind == "moving":
            record["called_moving_percent"] = 100 * self._statuses[Status.MOVING] / total
        if self._kind in ("static", "rotation"):
            claimed = sum(self._statuses[status] for status in CLAIMS_TRANSLATION)
            record["translation_claimed_percent"] = 100 * claimed / total
        return record | self._errors_summary()

    def _errors_summary(self) -> dict[str, float]:
        errors = dict(self._errors)
        record = {
            key: float(np.mean(errors.pop(key))) for key in ("direction_inside_2_sigma",) if key in errors
        }
        if "fov_error_percent" in errors:
            record["fov_error_percent"] = float(np.median(errors.pop("fov_error_percent")))
        for key, values in errors.items():
            record[f"{key}_median"] = float(np.median(values))
            record[f"{key}_p90"] = float(np.percentile(values, 90))
        return record

    def _add_status(self, status: Status, *, starts: bool) -> None:
        self._statuses[status] += 1
        if self._last is not None and not starts:
            self._transitions += 1
            self._changes += status != self._last
        self._last = status

    def _add_heading(self, motion: Motion, found: Translation, camera: CameraTruth, result: Result) -> None:
        assert camera.epipole is not None and motion.rotation is not None
        K = result.camera_matrix
        ray = np.linalg.solve(K, [*camera.epipole, 1])
        heading = ray / np.linalg.norm(ray)
        direction = np.asarray(np.linalg.solve(K, found.epipole), np.float64)
        self._errors["direction_error_deg"].append(metrics.angle(direction, heading))
        # An epipole at infinity is far off, not unknown: the camera is known to travel towards a pixel.
        at = found.epipole[:2] / max(abs(found.epipole[2]), 1e-9) * np.sign(found.epipole[2] or 1)
        self._errors["epipole_error_px"].append(float(np.linalg.norm(at - camera.epipole)))
        true = motion.rotation @ heading * (-1 if result.pair.forward else 1)
        # What is stated of the truth's own error is taken as its two standard deviations.
        radians = camera.tolerance / 2 / K[0, 0]
        covariance = motion_covariance(motion, result.focal_sigma)
        assert covariance is not None
        surprise = metrics.direction_surprise(found.direction, covariance, true, radians)
        self._errors["direction_inside_2_sigma"].append(float(surprise < metrics.INSIDE_TWO_SIGMA))
