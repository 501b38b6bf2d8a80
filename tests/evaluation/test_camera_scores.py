"""Scores of the camera on motions made up for the purpose."""

import numpy as np
import pytest

from streamflow.evaluation.camera_scores import CameraScores
from streamflow.evaluation.truth import PairTruth
from streamflow.geometry import epipole
from streamflow.geometry.camera import field_of_view, matrix_from_fov
from streamflow.values import CameraTruth, Frame, FramePair, Motion, Result, Status, Translation

SIZE = (167, 101)
K = matrix_from_fov(60, SIZE)
IMAGE = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)


def pair(*, forward: bool = False, fresh: bool = False) -> FramePair:
    older, newer = Frame(0, IMAGE), Frame(1, IMAGE)
    return FramePair(
        *((older, newer) if forward else (newer, older)), starts_segment="gap" if fresh else None
    )


def towards(pixel: tuple[float, float], *, forward: bool = False, sigma: float = 0.01) -> Motion:
    """Motion of a camera that travels towards a pixel of the reference image."""
    ray = np.linalg.solve(K, [*pixel, 1])
    T = ray / np.linalg.norm(ray) * (-1 if forward else 1)
    e = epipole.homogeneous(np.eye(3), T, K, forward_in_time=forward)
    return Motion(Status.MOVING, np.eye(3), Translation(T, sigma**2 * np.eye(5), e))


def scored(
    camera: CameraTruth, *motions: Motion, matrix: np.ndarray = K, forward: bool = False, fresh: tuple = ()
) -> dict:
    scores = CameraScores()
    for i, motion in enumerate(motions):
        result = Result(pair(forward=forward, fresh=i in fresh), matrix, True, motion=motion)
        scores.add(result, PairTruth(), camera)
    return scores.summary()


@pytest.mark.parametrize("kind", ["static", "rotation"])
def test_a_camera_that_does_not_travel_should_have_no_translation_claimed(kind: str) -> None:
    found = [Motion(status) for status in (Status.STATIC, Status.PLANAR, Status.MOVING, Status.ROTATION)]
    record = scored(CameraTruth(kind), *found)
    assert record["translation_claimed_percent"] == pytest.approx(50)
    assert "called_moving_percent" not in record


def test_a_camera_that_travels_should_be_called_moving() -> None:
    record = scored(CameraTruth("moving"), *[Motion(s) for s in (Status.MOVING, *[Status.PLANAR] * 3)])
    assert record["called_moving_percent"] == pytest.approx(25)
    assert "translation_claimed_percent" not in record


def test_changes_of_status_are_counted_between_pairs_that_follow_one_another() -> None:
    found = [Motion(s) for s in (Status.MOVING, Status.STATIC, Status.STATIC, Status.MOVING, Status.MOVING)]
    assert scored(CameraTruth("moving"), *found)["status_changes_per_100"] == pytest.approx(50)
    assert scored(CameraTruth("moving"), *found, fresh=(0, 3))["status_changes_per_100"] == pytest.approx(
        100 / 3
    )


@pytest.mark.parametrize("forward", [False, True])
def test_the_error_of_the_epipole_is_a_distance_whichever_frame_is_the_reference(forward: bool) -> None:
    camera = CameraTruth("moving", epipole=np.array([80.0, 40.0]))
    record = scored(camera, towards((83, 44), forward=forward), forward=forward)
    assert record["epipole_error_px_median"] == pytest.approx(5)
    assert record["direction_error_deg_median"] == pytest.approx(np.degrees(5 / K[0, 0]), rel=0.03)
    # 5 px are 1.97 degrees and one standard deviation .57: outside, unless the truth itself is that vague.
    assert record["direction_inside_2_sigma"] == 0
    vague = CameraTruth("moving", epipole=np.array([80.0, 40.0]), tolerance=10)
    inside = scored(vague, towards((83, 44), forward=forward), forward=forward)
    assert inside["direction_inside_2_sigma"] == 1


def test_the_opposite_direction_is_wrong_by_half_a_turn_though_its_epipole_is_the_same_pixel() -> None:
    camera = CameraTruth("moving", epipole=np.array([80.0, 40.0]))
    right = towards((80, 40)).translation
    wrong = Translation(-right.direction, right.covariance, -right.epipole)
    record = scored(camera, Motion(Status.MOVING, np.eye(3), wrong))
    assert record["direction_error_deg_median"] == pytest.approx(180)
    assert record["direction_inside_2_sigma"] == 0


def test_the_field_of_view_is_compared_in_percent() -> None:
    assert field_of_view(K, SIZE) == pytest.approx(60)
    still = [Motion(Status.ROTATION)] * 3
    record = scored(CameraTruth("rotation", fov=50.0), *still, matrix=matrix_from_fov(60, SIZE))
    assert record["fov_error_percent"] == pytest.approx(20)
