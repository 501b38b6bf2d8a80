"""Motion of a pair against exact truth: points of a known scene, seen by a camera of known motion."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from streamflow.geometry.epipole import bearing, ellipse, off_axis, pixel
from streamflow.motion.estimate import estimate_motion
from streamflow.motion.focal_length import GRID
from streamflow.motion.sampling import FlowPoints
from streamflow.values import Motion, Status
from tests.support.two_views import (
    BACKWARD,
    INSIDE,
    OUTSIDE,
    SIDEWAYS,
    SIZE,
    K,
    degrees_apart,
    heading_for,
    rotation_error,
    view,
)


@pytest.mark.parametrize(
    "heading", [INSIDE, OUTSIDE, SIDEWAYS, BACKWARD], ids=["in", "out", "sideways", "back"]
)
@pytest.mark.parametrize("target_is_newer", [False, True])
@pytest.mark.parametrize("outliers", [0.0, 0.3])
def test_full_motion_has_the_truth_and_its_sign(heading, target_is_newer, outliers):
    truth = view(heading, outliers=outliers, target_is_newer=target_is_newer)
    motion = estimate_motion(truth.points, K, forward_in_time=target_is_newer)
    assert motion.status is Status.MOVING
    assert degrees_apart(motion.translation.direction, truth.T) < 1.0
    assert rotation_error(motion.rotation, truth.R) < 0.1
    # the epipole is where the camera goes as time goes by, whichever way the pair is read
    assert degrees_apart(np.linalg.solve(K, motion.translation.epipole), heading) < 1.0


def test_without_noise_the_answer_is_exact():
    truth = view(OUTSIDE, noise=1e-5)
    motion = estimate_motion(truth.points, K)
    assert degrees_apart(motion.translation.direction, truth.T) < 1e-3
    assert rotation_error(motion.rotation, truth.R) < 1e-4


def test_epipole_stands_in_pixels_when_it_has_a_place():
    truth = view(INSIDE)
    motion = estimate_motion(truth.points, K)
    expected = truth.epipole()
    assert np.linalg.norm(pixel(motion.translation.epipole, K) - expected[:2] / expected[2]) < 2.0


def test_epipole_at_infinity_is_a_direction_not_a_pixel():
    motion = estimate_motion(view(SIDEWAYS).points, K)
    assert pixel(motion.translation.epipole, K) is None
    assert ellipse(motion, K) is None
    assert abs(np.rad2deg(bearing(motion.translation.epipole, K)) - np.rad2deg(np.arctan2(0.3, 1.0))) < 1.0
    assert abs(np.rad2deg(off_axis(motion.translation.epipole, K)) - 90) < 1.0


def test_cropping_the_image_moves_the_epipole_with_it():
    truth, (a, b) = view(INSIDE), (23.0, 11.0)
    shifted = FlowPoints(truth.points.positions - (a, b), truth.points.vectors, truth.points.covariance)
    crop = np.array([[1, 0, -a], [0, 1, -b], [0, 0, 1.0]])
    whole, cropped = estimate_motion(truth.points, K), estimate_motion(shifted, crop @ K)
    np.testing.assert_allclose(
        pixel(cropped.translation.epipole, crop @ K), pixel(whole.translation.epipole, K) - (a, b), atol=1e-3
    )
    np.testing.assert_allclose(cropped.rotation, whole.rotation, atol=1e-6)


def test_swapping_the_pair_inverts_the_motion_and_keeps_the_heading():
    truth = view(INSIDE, np.zeros(3), noise=0.01)
    there = estimate_motion(truth.points, K)
    swapped = FlowPoints(
        truth.points.positions + truth.points.vectors, -truth.points.vectors, truth.points.covariance
    )
    back = estimate_motion(swapped, K, forward_in_time=True)
    assert degrees_apart(back.translation.direction, -there.rotation.T @ there.translation.direction) < 0.2
    assert rotation_error(back.rotation, there.rotation.T) < 0.02
    assert np.linalg.norm(pixel(back.translation.epipole, K) - pixel(there.translation.epipole, K)) < 1.0


@pytest.mark.parametrize("model", ["full", "translation"])
def test_a_still_camera_has_no_epipole(model):
    motion = estimate_motion(view(INSIDE, np.zeros(3), step=0.0, outliers=0.2).points, K, model=model)
    assert motion.status is Status.STATIC
    assert motion.translation is None


def test_a_turning_camera_has_a_rotation_and_no_epipole():
    truth = view(INSIDE, step=0.0, outliers=0.2)
    motion = estimate_motion(truth.points, K)
    assert motion.status is Status.ROTATION
    assert rotation_error(motion.rotation, truth.R) < 0.02
    assert motion.translation is None


def test_a_rolling_shutter_does_not_make_a_turning_camera_move():
    """Rows taken one after the other while the turn speeds up: each row has a rotation of its own."""
    rng = np.random.default_rng(0)
    positions = rng.uniform((0, 0), np.subtract(SIZE, 1), (700, 2))
    a = np.column_stack([positions, np.ones(700)]) @ np.linalg.inv(K).T
    down = positions[:, 1:] / SIZE[1] - 0.5
    turns = Rotation.from_rotvec(np.deg2rad([0.8, -1.6, 0.5]) + down * np.deg2rad([0.6, 1.0, -0.8]))
    b = turns.apply(a)
    vectors = (b / b[:, 2:] @ K.T)[:, :2] - positions + 0.05 * rng.normal(size=(700, 2))
    covariance = np.broadcast_to(0.05**2 * np.eye(2), (700, 2, 2))
    motion = estimate_motion(FlowPoints(positions, vectors, covariance), K)
    assert motion.status is Status.ROTATION
    assert np.rad2deg(Rotation.from_matrix(motion.rotation).magnitude()) == pytest.approx(1.86, abs=0.1)


@pytest.mark.parametrize("heading", [OUTSIDE, SIDEWAYS], ids=["out", "sideways"])
def test_a_large_turn_does_not_hide_a_small_translation(heading):
    """Parallax of a tenth of the flow: more than the camera's calibration may account for."""
    for seed in range(10):
        truth = view(heading, np.deg2rad([0.6, -3.0, 0.5]), step=0.005, seed=seed)
        motion = estimate_motion(truth.points, K, seed=seed)
        assert motion.status is Status.MOVING
        assert degrees_apart(motion.translation.direction, truth.T) < 8.0


def test_a_turn_does_not_hide_a_plane():
    for seed in range(10):
        truth = view(SIDEWAYS, np.deg2rad([0.2, -2.0, 0.2]), plane=True, step=0.01, seed=seed)
        assert estimate_motion(truth.points, K, seed=seed).status is Status.PLANAR


def test_outliers_among_small_parallax_have_no_say():
    """Half the vectors are wrong, most of them by far more than the parallax, to either side."""
    for seed in range(20):
        truth = view(OUTSIDE, outliers=0.5, step=0.003, seed=seed)
        motion = estimate_motion(truth.points, K, seed=seed)
        assert motion.status is Status.MOVING
        assert motion.alternatives == ()
        assert degrees_apart(motion.translation.direction, truth.T) < 10.0


def test_a_plane_has_two_motions_and_one_of_them_is_true():
    truth = view(OUTSIDE, plane=True, outliers=0.2, noise=0.02)
    motion = estimate_motion(truth.points, K)
    assert motion.status is Status.PLANAR
    apart = [degrees_apart(m.translation.direction, truth.T) for m in (motion, *motion.alternatives)]
    assert len(apart) == 2
    assert min(apart) < 1.0


def test_a_prior_tells_the_two_motions_of_a_plane_apart():
    truth = view(OUTSIDE, plane=True, outliers=0.2, noise=0.02)
    off = Rotation.from_rotvec(np.deg2rad([3.0, -4.0, 2.0])).as_matrix() @ truth.T
    motion = estimate_motion(
        truth.points, K, prior=Motion(Status.MOVING, truth.R, heading_for(off), inlier_share=0.8)
    )
    assert degrees_apart(motion.translation.direction, truth.T) < 1.0


def test_a_moving_object_does_not_move_the_camera():
    truth = view(INSIDE)
    x, y = truth.points.positions.T
    on_object = (x > 100) & (y > 20) & (y < 80)
    vectors = truth.points.vectors + np.where(on_object[:, None], (3.0, -2.0), 0.0)
    motion = estimate_motion(FlowPoints(truth.points.positions, vectors, truth.points.covariance), K)
    assert 0.15 < on_object.mean() < 0.4
    assert degrees_apart(motion.translation.direction, truth.T) < 1.5
    assert motion.weights[on_object].mean() < 0.3 < 0.7 < motion.weights[~on_object].mean()


def test_nonsense_is_not_called_a_motion():
    truth = view(INSIDE)
    vectors = np.random.default_rng(99).uniform(-10, 10, truth.points.vectors.shape)
    motion = estimate_motion(FlowPoints(truth.points.positions, vectors, truth.points.covariance), K)
    assert motion.status is Status.LOW_CONFIDENCE
    assert motion.translation is None


def test_points_on_both_sides_of_the_camera_are_no_scene():
    """Flow that has an epipole but needs half the scene behind the camera: not rigid, whatever made it."""
    truth = view(SIDEWAYS, np.zeros(3), noise=0.01)
    backwards = np.where(np.arange(len(truth.points)) % 2, -1.0, 1.0)[:, None]
    flow = FlowPoints(truth.points.positions, truth.points.vectors * backwards, truth.points.covariance)
    motion = estimate_motion(flow, K)
    assert motion.status is Status.LOW_CONFIDENCE
    assert motion.translation is None


@pytest.mark.parametrize("count", [0, 7])
def test_too_few_points_are_low_confidence(count):
    points = view(INSIDE).points
    few = FlowPoints(points.positions[:count], points.vectors[:count], points.covariance[:count])
    assert estimate_motion(few, K).status is Status.LOW_CONFIDENCE


def test_the_answer_depends_on_the_input_alone():
    truth, other = view(OUTSIDE, outliers=0.3), view(INSIDE, outliers=0.3, seed=1)
    first = estimate_motion(truth.points, K, seed=5)
    estimate_motion(other.points, K, seed=9)
    again = estimate_motion(truth.points, K, seed=5)
    np.testing.assert_array_equal(first.translation.direction, again.translation.direction)
    np.testing.assert_array_equal(first.translation.covariance, again.translation.covariance)


def test_warm_and_cold_start_agree():
    before, truth = view(OUTSIDE, outliers=0.3, seed=2), view(OUTSIDE, outliers=0.3)
    cold = estimate_motion(truth.points, K)
    warm = estimate_motion(truth.points, K, prior=estimate_motion(before.points, K))
    assert degrees_apart(cold.translation.direction, warm.translation.direction) < 0.01


@pytest.mark.parametrize(
    "prior",
    [
        Motion(Status.MOVING, np.full((3, 3), np.nan), heading_for(np.full(3, np.nan)), inlier_share=0.9),
        Motion(Status.MOVING, np.eye(3), heading_for([0.0, 1.0, 0.0]), inlier_share=0.9),
        Motion(Status.STATIC, np.eye(3)),
        Motion(Status.LOW_CONFIDENCE),
    ],
    ids=["nan", "wrong", "still", "nothing"],
)
def test_a_useless_prior_is_not_believed(prior):
    truth = view(INSIDE, outliers=0.2)
    motion = estimate_motion(truth.points, K, prior=prior)
    assert motion.status is Status.MOVING
    assert degrees_apart(motion.translation.direction, truth.T) < 1.0


@pytest.mark.parametrize("heading", [INSIDE, OUTSIDE, SIDEWAYS], ids=["in", "out", "sideways"])
def test_pure_translation(heading):
    truth = view(heading, np.zeros(3), outliers=0.4)
    motion = estimate_motion(truth.points, K, model="translation")
    assert motion.status is Status.MOVING
    assert degrees_apart(motion.translation.direction, truth.T) < 0.3
    np.testing.assert_array_equal(motion.rotation, np.eye(3))
    assert not motion.translation.covariance[2:].any()


@pytest.mark.parametrize("fov", [30.0, 95.0])
def test_a_turn_behind_an_unknown_lens_is_a_turn(fov):
    """The camera matrix is that of another lens: the flow would be that of a plane."""
    rng = np.random.default_rng(0)
    focal = SIZE[0] / 2 / np.tan(np.radians(fov) / 2)
    true_K = np.array([[focal, 0, 83.0], [0, focal, 50.0], [0, 0, 1]])
    assumed_K = np.array([[150.0, 0, 83.0], [0, 150.0, 50.0], [0, 0, 1]])
    positions = rng.uniform((0, 0), np.subtract(SIZE, 1), (700, 2))
    a = np.column_stack([positions, np.ones(700)]) @ np.linalg.inv(true_K).T
    R = Rotation.from_rotvec(np.array([0.03, -0.08, 0.01]) * 150.0 / focal).as_matrix()
    b = a @ R.T
    vectors = (b / b[:, 2:] @ true_K.T)[:, :2] - positions + 0.05 * rng.normal(size=(700, 2))
    points = FlowPoints(positions, vectors, np.broadcast_to(0.05**2 * np.eye(2), (700, 2, 2)))
    motion = estimate_motion(points, assumed_K, log_focals=GRID)
    assert motion.status is Status.ROTATION
    assert rotation_error(motion.rotation, R) < 0.1
    assert motion.zoom == 1.0


@pytest.mark.parametrize("target_is_newer", [False, True])
@pytest.mark.parametrize("log_focals", [GRID, None])
def test_a_zoom_is_no_translation(target_is_newer, log_focals):
    rng = np.random.default_rng(0)
    positions = rng.uniform((0, 0), np.subtract(SIZE, 1), (700, 2))
    grown = 1.02 if target_is_newer else 1 / 1.02
    vectors = (positions - K[:2, 2]) * (grown - 1) + 0.05 * rng.normal(size=(700, 2))
    points = FlowPoints(positions, vectors, np.broadcast_to(0.05**2 * np.eye(2), (700, 2, 2)))
    motion = estimate_motion(points, K, forward_in_time=target_is_newer, log_focals=log_focals)
    assert motion.status is Status.ROTATION
    assert motion.zoom == pytest.approx(1.02, abs=1e-3)


@pytest.mark.parametrize("seed", range(4))
def test_what_overtakes_on_a_third_of_the_picture_does_not_turn_the_heading(seed):
    """It goes the camera's way, faster: on its epipolar lines, and behind the camera."""
    truth = view(INSIDE, np.zeros(3), seed=seed)
    on_lorry = truth.points.positions[:, 0] > 110
    vectors = np.where(on_lorry[:, None], -0.7, 1.0) * truth.points.vectors
    motion = estimate_motion(FlowPoints(truth.points.positions, vectors, truth.points.covariance), K)
    assert 0.28 < on_lorry.mean() < 0.4
    assert motion.status is Status.MOVING
    assert degrees_apart(motion.translation.direction, truth.T) < 1.5
    assert motion.weights[on_lorry].mean() < 0.3


def test_what_passes_does_not_move_a_camera_at_rest():
    truth = view(INSIDE, np.zeros(3), step=0.0)
    passes = truth.points.positions[:, 0] > 120
    vectors = truth.points.vectors + np.where(passes[:, None], (-4.0, 0.3), 0.0)
    motion = estimate_motion(FlowPoints(truth.points.positions, vectors, truth.points.covariance), K)
    assert motion.status is Status.STATIC
