"""The drift of a trajectory, on trajectories whose drift is known."""

import numpy as np
import pytest

from streamflow.evaluation.trajectory_scores import drift
from tests.support.scenes import turn


def straight(steps: list[float], unit: float = 1.0) -> tuple[np.ndarray, ...]:
    poses = [np.eye(4) for _ in range(len(steps) + 1)]
    for pose, z in zip(poses[1:], np.cumsum(steps), strict=True):
        pose[2, 3] = unit * z
    return tuple(poses)


def test_a_trajectory_in_its_own_unit_from_its_own_origin_has_no_drift():
    start = np.eye(4)
    start[:3, :3], start[:3, 3] = turn((10, -70, 20)), (3, -5, 11)
    found = straight([1, 1.5, 0.5, 2])
    true = tuple(start @ pose for pose in straight([1, 1.5, 0.5, 2], unit=0.25))
    assert drift(found, true) == pytest.approx((0, 1.25), abs=1e-9)


def test_drift_is_the_end_s_error_over_the_way():
    assert drift(straight([1, 1, 1.2, 1.2]), straight([1, 1, 1, 1]))[0] == pytest.approx(10)
    back = straight([1, 1, -1, -1])
    aside = (*back[:-1], back[-1].copy())
    aside[-1][0, 3] = 0.4
    assert drift(aside, back) == pytest.approx((10, 4))  # of the way, not of the distance


def test_a_camera_that_stands_has_none():
    assert drift(straight([0, 0, 0]), straight([0, 0, 0])) == (0, 0)
