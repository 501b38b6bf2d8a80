"""Scores of the camera's trajectory, whose unit is free."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np

from streamflow.values import Frame, Matrix, Result

FEWEST = 3  # poses of a segment, for its drift


class TrajectoryScores:
    """Collects poses with their truth, segment by segment."""

    def __init__(self) -> None:
        self._segments: dict[int, list[tuple[Matrix, Matrix]]] = defaultdict(list)

    def add(self, result: Result) -> None:
        """Take the newest frame of a pair in, if both its pose and what is true of it are known."""
        newest, first = _true_pose(result.pair.newest), _true_pose(result.pair.target)
        if result.pose is None or newest is None or first is None:
            return
        segment = self._segments[result.segment]
        if not segment:
            segment.append((np.eye(4), first))
        segment.append((result.pose, newest))

    def summary(self) -> dict[str, Any]:
        """Return the drift of the longest segment; empty where none is long enough."""
        drifts = [
            drift(*zip(*poses, strict=True)) for poses in self._segments.values() if len(poses) > FEWEST
        ]
        longest = max(drifts, key=lambda each: each[1], default=(0.0, 0.0))
        return {"trajectory_drift_percent": longest[0]} if longest[1] > 0 else {}


def _true_pose(frame: Frame) -> Matrix | None:
    return None if frame.truth is None else frame.truth.pose


def drift(found: tuple[Matrix, ...], true: tuple[Matrix, ...]) -> tuple[float, float]:
    """How far off the end of a trajectory is, percent of its way, and that way in the truth's unit.

    Both begin at the same camera; the length of the first step, the unit of `found`, is taken from the truth.

    Parameters
    ----------
    found, true : poses (4, 4), camera to world, of the same frames.
    """
    to_first = np.linalg.inv(true[0])
    places = np.array([(to_first @ pose)[:3, 3] for pose in true])
    steps = np.linalg.norm(np.diff(places, axis=0), axis=1)
    way = float(steps.sum())
    begun = np.linalg.norm(found[1][:3, 3])
    if not (way > 0 and begun > 0):
        return 0.0, 0.0
    end = found[-1][:3, 3] * steps[0] / begun
    return float(100 * np.linalg.norm(end - places[-1]) / way), way
