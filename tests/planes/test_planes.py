"""Planar motion and planes found, against exact planes."""

import cv2
import numpy as np
import pytest

from streamflow.depth.pair import pair_depth
from streamflow.geometry.camera import calibrated
from streamflow.geometry.homography import planar_motions
from streamflow.planes.description import describe_planes
from streamflow.planes.eight_parameters import fit_eight_parameters, planar_flow
from streamflow.planes.homography import (
    fit_homography,
    homography_flow,
    homography_from_parameters,
    nearest_motion,
)
from streamflow.planes.segmentation import find_planes
from streamflow.planes.tracking import PlaneTracker, moved
from streamflow.values import Depth
from tests.support.scenes import GROUND, SHAPE, SIDE, WALL, K, flow_of, noisy, rays, room, turn, unit

R = turn((0.3, -0.6, 0.2))
T = unit((-0.3, 0.1, 0.9))
A = np.array([0.02, 0.03, -0.01, -0.015, 0.02, 0.01, 0.04, -0.03])


def pixels(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, 1, (count, 2)) * SHAPE[::-1]


def degrees(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.rad2deg(np.arccos(np.clip(a @ b / np.linalg.norm(a) / np.linalg.norm(b), -1, 1))))


@pytest.mark.parametrize("outliers", [0.1, 0.4, 0.5])
@pytest.mark.parametrize("seed", range(3))
def test_eight_parameters_under_outliers(outliers, seed):
    points = pixels(2000, seed)
    rng = np.random.default_rng(seed + 10)
    truth = planar_flow(A, points, K)
    vectors = truth + rng.normal(0, 0.1, truth.shape)
    wrong = rng.random(len(points)) < outliers
    vectors[wrong] += rng.normal([3, -2], 2, (wrong.sum(), 2))
    found = fit_eight_parameters(points, vectors, np.full(len(points), 0.1), K, np.random.default_rng(0))
    assert found is not None
    assert np.sqrt(np.mean((planar_flow(found.a, points, K) - truth) ** 2)) < 0.02  # pixels
    assert np.mean(found.inliers[~wrong]) > 0.95
    assert np.mean(found.inliers[wrong]) < 0.05
    assert found.residual == pytest.approx(0.1, rel=0.1)


def test_eight_parameters_follow_longuet_higgins():
    """a1..a8 of a plane n, turning omega and moving t, written out from the velocity of a point."""
    n, omega, t = np.array([0.02, 0.3, 0.05]), np.array([0.002, -0.003, 0.001]), np.array([0.01, 0.004, 0.02])
    points = pixels(300, 1)
    a = np.c_[points, np.ones(300)] @ np.linalg.inv(K).T
    velocity = np.cross(omega, a) + np.outer(a @ n, t)
    flow = (velocity[:, :2] - a[:, :2] * velocity[:, 2:]) * [K[0, 0], K[1, 1]]
    found = fit_eight_parameters(points, flow, np.full(300, 0.1), K, np.random.default_rng(0))
    assert found is not None
    np.testing.assert_allclose(planar_flow(found.a, points, K), flow, atol=1e-6)


def test_eight_parameters_need_points():
    few = pixels(11, 0)
    assert fit_eight_parameters(few, few * 0, np.ones(11), K, np.random.default_rng(0)) is None


def test_homography_is_exact_and_its_twin_is_told_by_the_heading():
    n = GROUND * 0.2
    points = pixels(1500, 5)
    points = points[points[:, 1] > K[1, 2] + 5]
    a = np.c_[points, np.ones(len(points))] @ np.linalg.inv(K).T
    target = (a @ R.T + np.outer(a @ n, T)) @ K.T
    vectors = target[:, :2] / target[:, 2:] - points
    sigma = np.full(len(points), 0.1)
    start = fit_eight_parameters(points, vectors, sigma, K, np.random.default_rng(0))
    assert start is not None
    H = fit_homography(points, vectors, sigma, K, homography_from_parameters(start.a))
    np.testing.assert_allclose(homography_flow(H, points, K), vectors, atol=1e-5)
    twins = planar_motions(H, calibrated(points, K))
    assert len(twins) == 2
    motion = nearest_motion(twins, R.T @ T + [0.1, 0, 0])
    assert degrees(motion.n, n) < 0.01
    assert degrees(motion.T, T) < 0.01
    np.testing.assert_allclose(motion.R, R, atol=1e-5)
    np.testing.assert_allclose(motion.n, n, rtol=1e-3, atol=1e-6)


def test_first_order_homography_is_tangent_to_the_quadratic_flow():
    points = pixels(50, 3)
    small = A * 1e-4
    np.testing.assert_allclose(
        homography_flow(homography_from_parameters(small), points, K),
        planar_flow(small, points, K),
        atol=1e-5,
    )


def test_moved_plane_holds_the_same_points():
    n = np.array([0.02, 0.3, 0.05])
    X = rays()[::20, ::20].reshape(-1, 3)
    X = (X / (X @ n)[:, None])[X @ n > 0]  # on the plane, seen by the previous camera
    newest = (X - 0.7 * T) @ R  # X = R newest + .7 T
    np.testing.assert_allclose(newest @ moved(n[None], R, 0.7 * T)[0], 1, rtol=1e-9)


SIZE, CAMERA = (241, 331), np.array([[290.0, 0, 165.3], [0, 291.0, 118.1], [0, 0, 1]])
STEP = 0.3


def room_depth(seed: int = 0, noise: float = 0.1):
    """Depth of the room from noisy flow, the flow, and which plane each pixel shows."""
    candidates = room(CAMERA, SIZE) * STEP
    vectors = noisy(flow_of(candidates.max(axis=0), R, T, CAMERA), noise, seed)
    return (
        pair_depth(vectors, np.full(SIZE, noise, np.float32), CAMERA, R, T),
        vectors,
        candidates.argmax(axis=0),
    )


def test_planes_of_a_room_are_found_and_described():
    depth, vectors, truth = room_depth()
    planes, labels = find_planes(depth, CAMERA, np.random.default_rng(0))
    assert len(planes) == 3
    names = PlaneTracker()(labels, vectors)
    described = describe_planes(planes, labels, names, vectors, CAMERA, R, T)
    for i, (normal, limit, name) in enumerate([(GROUND, 0.3, "ground"), (SIDE, 1.0, ""), (WALL, 1.0, "")]):
        plane = min(described, key=lambda plane: degrees(-plane.normal, normal))
        assert degrees(-plane.normal, normal) < limit
        assert plane.distance == pytest.approx(1 / np.linalg.norm(normal) / STEP, rel=0.02)
        region = truth == i
        assert (plane.mask & region).sum() / (plane.mask | region).sum() > 0.85
        assert plane.name == name
        assert plane.residual == pytest.approx(0.1, rel=0.5)
        flow = planar_flow(plane.parameters, np.argwhere(plane.mask)[:, ::-1].astype(float), CAMERA)
        np.testing.assert_allclose(np.median(flow - vectors[plane.mask], axis=0), 0, atol=0.05)


def test_known_planes_are_found_again_with_hardly_a_search():
    depth, _, _ = room_depth()
    known = STEP * np.array([SIDE, WALL, GROUND])
    planes, _ = find_planes(depth, CAMERA, np.random.default_rng(0), known=known)
    for n in known:
        assert min(degrees(found, n) for found in planes) < 0.5


def test_a_plane_is_one_region_though_patches_of_it_are_off_by_more_than_their_variance():
    """A quarter of the ground is off by up to 5%, with a deviation of .5%: as flow on a road is."""
    rho = STEP * room(CAMERA, SIZE)
    wave = [np.sin(np.arange(n) / 7) for n in SIZE]
    off = 1 + 0.05 * np.maximum(0, wave[0][:, None] * wave[1])
    depth = Depth(
        (rho.max(axis=0) * off).astype(np.float32),
        (0.005 * rho.max(axis=0)).astype(np.float32) ** 2,
        np.zeros(SIZE, np.uint8),
    )
    planes, labels = find_planes(depth, CAMERA, np.random.default_rng(0))
    ground = 1 + int(np.argmin([degrees(n, GROUND) for n in planes]))
    truth = rho.argmax(axis=0)[::4, ::4] == 0
    assert (truth & (labels == ground)).sum() > 0.95 * truth.sum()
    for i in range(1, len(planes) + 1):
        _, _, statistics, _ = cv2.connectedComponentsWithStats((labels == i).astype(np.uint8), connectivity=4)
        areas = statistics[1:, cv2.CC_STAT_AREA]
        assert areas.min() > 0.1 * areas.max()  # no specks


def test_no_planes_where_nothing_is_known():
    depth, _, _ = room_depth()
    depth.inverse[:] = np.nan
    planes, labels = find_planes(depth, CAMERA, np.random.default_rng(0))
    assert planes.shape == (0, 3)
    assert not labels.any()


def test_same_seed_same_planes():
    depth, _, _ = room_depth()
    one, two = (find_planes(depth, CAMERA, np.random.default_rng(5))[0] for _ in range(2))
    np.testing.assert_array_equal(one, two)


def test_labels_stay_though_the_order_changes():
    labels = np.zeros((30, 40), np.uint8)
    labels[20:], labels[:15, :20], labels[:15, 20:] = 1, 2, 3
    vectors = np.zeros((120, 160, 2), np.float32)
    tracker = PlaneTracker()
    assert tracker(labels, vectors) == [1, 2, 3]
    shuffled = np.array([0, 3, 1, 2], np.uint8)[labels]
    assert tracker(shuffled, vectors) == [2, 3, 1]
    new = shuffled.copy()
    new[new == 1] = 0
    new[16:20] = 1
    assert tracker(new, vectors) == [4, 3, 1]
    tracker.reset()
    assert tracker(new, vectors) == [5, 6, 7]


def test_labels_follow_the_flow():
    labels = np.zeros((30, 40), np.uint8)
    labels[:, 5:10], labels[:, 20:25] = 1, 2
    tracker = PlaneTracker()
    tracker(labels, np.zeros((120, 160, 2), np.float32))
    vectors = np.zeros((120, 160, 2), np.float32)
    vectors[..., 0] = 60  # what was at x + 60 pixels = 15 cells
    shifted = np.zeros_like(labels)
    shifted[:, 5:10] = 1  # was the second
    assert tracker(shifted, vectors) == [2]
