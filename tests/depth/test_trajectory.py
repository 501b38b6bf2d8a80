"""Where the camera has been, against the poses a scene was rendered from."""

import numpy as np
import pytest

from sources import open_source
from streamflow.depth.trajectory import Trajectory
from streamflow.pipeline import results
from streamflow.stages import Stage
from streamflow.values import Depth, Frame, FramePair, Motion, Status, Translation
from tests.support.scenes import turn

STAGES = frozenset({Stage.FLOW, Stage.MOTION, Stage.DEPTH})
NOTHING = np.full((2, 2), np.nan, np.float32)
UNKNOWN = np.zeros((2, 2), np.uint8)


def pair_of(first: int, forward: bool = False) -> FramePair:
    earlier, later = (Frame(index, np.zeros((2, 2, 3), np.uint8)) for index in (first, first + 1))
    return FramePair(earlier, later) if forward else FramePair(later, earlier)


def moved(R: np.ndarray, T: tuple[float, float, float]) -> Motion:
    return Motion(Status.MOVING, R, Translation(np.array(T), np.zeros((5, 5)), np.zeros(3)))


@pytest.mark.parametrize("scene", ["turning", "oblique"])
def test_poses_are_those_the_scene_was_rendered_from(scene):
    found = list(results(open_source(f"demo:{scene},size=317x211,frames=10"), STAGES))
    first = np.linalg.inv(found[0].pair.target.truth.pose)
    unit = np.linalg.norm((first @ found[0].pair.reference.truth.pose)[:3, 3])
    for result in found:
        true = first @ result.pair.newest.truth.pose
        way = np.linalg.norm(true[:3, 3])
        assert np.linalg.norm(result.pose[:3, 3] * unit - true[:3, 3]) < 0.02 * way
        angle = np.degrees(np.arccos((np.trace(result.pose[:3, :3].T @ true[:3, :3]) - 1) / 2))
        assert angle < 0.15


def test_a_pair_and_its_swap_give_one_pose():
    R, T, depth = (
        turn((1.0, -2.0, 0.5)),
        np.array([0.6, 0.0, 0.8]),
        Depth(NOTHING, NOTHING, UNKNOWN, step=1.5),
    )
    back = Trajectory()(pair_of(0), moved(R, T), depth)
    forth = Trajectory()(pair_of(0, forward=True), moved(R.T, -R.T @ T), depth)
    np.testing.assert_allclose(back, forth, atol=1e-12)


def test_a_stop_adds_nothing_a_held_pair_the_last_step_and_a_lost_one_ends_it():
    trajectory = Trajectory()
    forward = moved(np.eye(3), (0.0, 0.0, 1.0))
    assert trajectory(pair_of(0), forward, Depth(NOTHING, NOTHING, UNKNOWN, new_unit=True))[2, 3] == 1
    still = Depth(NOTHING, NOTHING, UNKNOWN, step=0.0, held=True)
    assert trajectory(pair_of(1), Motion(Status.STATIC, np.eye(3)), still)[2, 3] == 1
    assert trajectory(pair_of(2), forward, Depth(NOTHING, NOTHING, UNKNOWN, step=2.0))[2, 3] == 3
    lost = Motion(Status.LOW_CONFIDENCE)
    assert trajectory(pair_of(3), lost, Depth(NOTHING, NOTHING, UNKNOWN, step=2.0, held=True))[2, 3] == 5
    assert trajectory(pair_of(4), lost, Depth(NOTHING, NOTHING, UNKNOWN)) is None
    assert trajectory(pair_of(5), forward, Depth(NOTHING, NOTHING, UNKNOWN, new_unit=True))[2, 3] == 1
