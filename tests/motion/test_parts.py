"""The parts of the motion estimate, each against a second route to the same number."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from streamflow.geometry.homography import planar_motions
from streamflow.geometry.rotation import cap, hemisphere, rotation_exp, tangent_basis, unit
from streamflow.kernels.robust import robust_scale
from streamflow.motion.epipolar import calibrate, inverse_depth, linearise, residuals
from streamflow.motion.homography import STEADY, fit_homography, fit_rotation, transfer_errors
from streamflow.motion.sampling import FlowPoints, sample
from streamflow.motion.smoothing import MotionFilter
from streamflow.values import Motion, Status, Translation

K = np.array([[150.0, 0, 81.0], [0, 145.0, 52.0], [0, 0, 1]])


def some_matches(n=60, seed=0):
    rng = np.random.default_rng(seed)
    factor = rng.normal(size=(n, 2, 2))
    covariance = factor @ factor.transpose(0, 2, 1) + 0.1 * np.eye(2)
    return calibrate(rng.uniform(0, 100, (n, 2)), rng.normal(size=(n, 2)), covariance, K), covariance


@pytest.mark.parametrize("vector", [np.zeros(3), [1e-7, 0, 2e-7], [0.3, -1.2, 0.5], [0, 0, 3.0]])
def test_exponential_map_is_that_of_scipy(vector):
    expected = Rotation.from_rotvec(vector).as_matrix()
    np.testing.assert_allclose(rotation_exp(np.asarray(vector, float)), expected, atol=1e-15)


@pytest.mark.parametrize("direction", [[0, 0, 1.0], [0, 0, -1.0], [1.0, 0, 0], [0.6, -0.64, 0.48]])
def test_tangent_basis_completes_the_direction(direction):
    frame = np.column_stack([tangent_basis(np.array(direction)), direction])
    np.testing.assert_allclose(frame.T @ frame, np.eye(3), atol=1e-15)


def test_directions_cover_the_hemisphere_and_the_cap():
    rng = np.random.default_rng(0)
    lattice = hemisphere(150)
    anywhere = unit(rng.normal(size=(2000, 3)))
    nearest = np.abs(anywhere @ lattice.T).max(axis=1)
    assert np.rad2deg(np.arccos(nearest.min())) < 11
    centre = unit(np.array([0.3, -0.8, -0.5]))
    angles = np.arccos(np.clip(cap(centre, 0.25, 48) @ centre, -1, 1))
    assert angles[0] == pytest.approx(0, abs=1e-7)
    assert angles.max() == pytest.approx(0.25)


def test_residual_is_the_distance_to_the_line_over_its_error():
    """Against the distance in pixels to the line F x, with the covariance in pixels."""
    matches, covariance = some_matches()
    R, T = rotation_exp(np.array([0.02, -0.01, 0.03])), unit(np.array([0.4, -0.2, 0.8]))
    x = np.column_stack([matches[:2].T, np.ones(60)]) @ K.T
    y = np.column_stack([matches[2:4].T, np.ones(60)]) @ K.T
    inverse = np.linalg.inv(K)
    line = x @ (inverse.T @ np.cross(np.eye(3), T) @ R @ inverse).T
    expected = (line * y).sum(axis=1) / np.sqrt(
        np.einsum("ni,nij,nj->n", line[:, :2], covariance, line[:, :2])
    )
    np.testing.assert_allclose(np.abs(residuals(matches, R, T)), np.abs(expected), rtol=1e-9)


def test_gradient_is_the_derivative_of_the_cost():
    matches, _ = some_matches()
    R, T, scale = rotation_exp(np.array([0.02, -0.01, 0.03])), unit(np.array([0.4, -0.2, 0.8])), 2.0
    B, A = tangent_basis(T), np.empty((6, 6))
    linearise(matches, 0, 60, R, T, B, scale, 0.0, 1e9, A)

    def cost(step):
        r2 = residuals(matches, rotation_exp(step[2:]) @ R, unit(T + B @ step[:2])) ** 2
        return 0.5 * np.sum(r2 / (1 + r2 / scale**2))

    numeric = [(cost(1e-6 * axis) - cost(-1e-6 * axis)) / 2e-6 for axis in np.eye(5)]
    np.testing.assert_allclose(-A[5, :5], numeric, rtol=1e-5)


def test_inverse_depth_is_that_of_the_scene():
    rng = np.random.default_rng(0)
    a = np.column_stack([rng.uniform(-0.5, 0.5, (50, 2)), np.ones(50)])
    R, T, rho = (
        rotation_exp(np.array([0.02, -0.01, 0.03])),
        unit(np.array([0.4, -0.2, 0.8])),
        rng.uniform(0.01, 0.1, 50),
    )
    b = a @ R.T + rho[:, None] * T
    b = b[:, :2] / b[:, 2:]
    matches = np.vstack([a[:, :2].T, b.T, np.full(50, 1e-6), np.full(50, 3e-7), np.full(50, 2e-6)])
    np.testing.assert_allclose(inverse_depth(matches, R, T)[0], rho, rtol=1e-9)


def test_a_sway_may_be_wrong_by_a_tenth_where_a_turn_may_not():
    n, R, rolling_rate = 200, rotation_exp(np.deg2rad([0.5, -1.0, 0.3])), np.deg2rad([0.4, 1.0, -0.5])
    rng = np.random.default_rng(0)
    a = np.column_stack([rng.uniform(-0.5, 0.5, (n, 2)), np.ones(n)])
    b = np.stack(
        [rotation_exp(1.1 * row * rolling_rate) @ R @ ray for row, ray in zip(a[:, 1], a, strict=True)]
    )
    b = b[:, :2] / b[:, 2:]
    matches = np.vstack([a[:, :2].T, b.T, np.full(n, 1e-10), np.zeros(n), np.full(n, 1e-10)])
    assert transfer_errors(matches, R, rolling_rate, 0.0).max() < 1.0
    assert np.median(transfer_errors(matches, R, STEADY, 0.0)) > 1e3


@pytest.mark.parametrize("outliers", [0.0, 0.4])
def test_rotation_and_homography_are_found_among_outliers(outliers):
    rng = np.random.default_rng(1)
    n = 500
    a = np.column_stack([rng.uniform(-0.5, 0.5, (n, 2)), np.ones(n)])
    R = rotation_exp(np.deg2rad([0.5, -1.0, 2.0]))
    H = R + np.outer([0.03, 0.01, 0.05], [0.2, -0.4, 0.9])
    for truth, fit in ((R, fit_rotation), (H, fit_homography)):
        b = a @ truth.T
        b = b[:, :2] / b[:, 2:] + 1e-4 * rng.normal(size=(n, 2))
        bad = rng.random(n) < outliers
        b[bad] += rng.uniform(-0.1, 0.1, (bad.sum(), 2))
        matches = np.vstack([a[:, :2].T, b.T, np.full(n, 1e-8), np.zeros(n), np.full(n, 1e-8)])
        found = fit(matches, np.eye(3), np.array([1000.0, 500, 200, 100, 50, 20, 10, 5, 3, 3, 3]))
        np.testing.assert_allclose(found / np.linalg.norm(found), truth / np.linalg.norm(truth), atol=1e-4)
        typical = np.median(transfer_errors(matches, found, STEADY, 0.0)[~bad])
        assert typical == pytest.approx(1.386, rel=0.2)  # chi^2 of two


def test_a_homography_has_its_motion_among_its_two():
    a = np.vstack([np.random.default_rng(0).uniform(-0.5, 0.5, (2, 50)), np.zeros((5, 50))])
    R, T = rotation_exp(np.array([0.02, -0.01, 0.03])), np.array([0.03, 0.01, 0.05])
    poses = planar_motions(-3.0 * (R + np.outer(T, [0.2, -0.4, 0.9])), a[:2])
    assert len(poses) == 2
    assert min(np.abs(pose.R - R).max() + np.abs(pose.T - unit(T)).max() for pose in poses) < 1e-9


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6])
def test_robust_scale_ignores_outliers(share):
    rng = np.random.default_rng(0)
    r = 0.7 * rng.normal(size=4000)
    bad = rng.random(4000) < share
    r[bad] += rng.uniform(-60, 60, bad.sum())
    assert robust_scale(r) == pytest.approx(0.7, rel=0.15)


def test_sample_leaves_out_what_says_nothing():
    height, width = 101, 167
    grey = np.random.default_rng(0).integers(0, 255, (height, width), np.uint8)
    grey[:, 120:] = 128  # no texture
    vectors = np.zeros((height, width, 2), np.float32)
    vectors[:, :30, 0] = -40.0  # leaves the image
    sigma = np.full((height, width), 0.2, np.float32)
    vectors[:20, 30:80] = np.nan
    sigma[80:, 30:80] = np.inf
    points = sample(vectors, sigma, grey)
    x, y = points.positions.T
    assert 30 < len(points) < 101 * 167 / 11**2
    assert x.min() >= 30
    assert x.max() < 126
    assert not ((x < 80) & ((y < 20) | (y >= 80))).any()
    assert np.isfinite(points.covariance).all()
    assert (np.linalg.eigvalsh(points.covariance) > 0.2**2 - 1e-9).all()


def test_sample_takes_the_best_of_each_cell_and_knows_edges():
    grey = np.zeros((47, 61), np.uint8)
    grey[:, 30:] = 200  # a vertical edge: the flow along it, y, is not known
    sigma = np.full((47, 61), 0.3, np.float32)
    sigma[17, 29] = 0.1
    points = sample(np.zeros((47, 61, 2), np.float32), sigma, grey, spacing=11)
    best = np.flatnonzero((points.positions == (29, 17)).all(axis=1))
    assert best.size == 1
    covariance = points.covariance[best[0]]
    assert covariance[0, 0] < 0.02
    assert covariance[1, 1] > 10


def measured(direction, turn=(0.0, 0.0, 0.0), spread=1.0):
    translation = unit(np.asarray(direction, float))
    rotation = rotation_exp(np.deg2rad(np.asarray(turn)))
    covariance = np.diag(np.deg2rad([spread, spread, 0.1, 0.1, 0.1]) ** 2)
    return Motion(Status.MOVING, rotation, Translation(translation, covariance, K @ rotation.T @ translation))


def test_filter_averages_what_stays_the_same():
    rng, smooth = np.random.default_rng(0), MotionFilter()
    raw, filtered = [], []
    for _ in range(200):
        noisy = measured(unit(np.array([0.1, 0, 1.0])) + np.deg2rad(2.0) * rng.normal(size=3), spread=2.0)
        state = smooth.update(noisy, K)
        raw.append(np.arccos(noisy.translation.direction @ unit(np.array([0.1, 0, 1.0]))))
        filtered.append(np.arccos(state.translation.direction @ unit(np.array([0.1, 0, 1.0]))))
    assert np.sqrt(np.mean(np.square(filtered[20:]))) < 0.6 * np.sqrt(np.mean(np.square(raw[20:])))
    np.testing.assert_allclose(state.translation.epipole, K @ state.rotation.T @ state.translation.direction)
    assert np.trace(state.translation.covariance) < np.trace(noisy.translation.covariance)


def test_filter_follows_a_sudden_turn_and_forgets_on_reset():
    smooth = MotionFilter()
    for _ in range(20):
        smooth.update(measured([0, 0, 1.0], spread=0.3), K)
    turned = measured([0.35, 0, 1.0], spread=0.3)
    after = [smooth.update(turned, K).translation.direction for _ in range(3)]
    assert np.rad2deg(np.arccos(after[-1] @ turned.translation.direction)) < 2.0
    smooth.reset()
    assert (
        smooth.update(measured([0, 1.0, 0.2]), K).translation.direction @ unit(np.array([0, 1.0, 0.2]))
        > 1 - 1e-12
    )


def test_filter_hands_on_what_has_no_translation():
    smooth = MotionFilter()
    smooth.update(measured([0, 0, 1.0]), K)
    still = Motion(Status.STATIC)
    assert smooth.update(still, K) is still


def test_points_know_their_number():
    assert len(FlowPoints(np.zeros((3, 2)), np.zeros((3, 2)), np.zeros((3, 2, 2)))) == 3
