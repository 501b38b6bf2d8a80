"""Depth of a pair and time to contact, against scenes whose depth is known."""

import numpy as np
import pytest

from streamflow.depth.approach import approach
from streamflow.depth.keyframe import median_parallax
from streamflow.depth.pair import pair_depth
from streamflow.values import Depth, Unknown
from tests.support.scenes import SHAPE, K, flow_of, noisy, rays, room, turn, unit
from tests.support.triangulated import signed_inverse_depth

MOTIONS = {
    "forward": (turn((0, 0, 0)), unit((0, 0, 1))),
    "sideways": (turn((0, 0, 0)), unit((1, 0, 0))),
    "oblique": (turn((0, 0, 0)), unit((0.5, -0.1, 0.9))),
    "turning": (turn((0.4, -0.8, 0.3)), unit((-0.6, 0.1, 0.8))),
    "backwards": (turn((0.1, 0.5, 0)), unit((0.2, 0, -1))),
}
SURE = np.full(SHAPE, 0.05, np.float32)


def seen(step: float = 0.3) -> np.ndarray:
    """Inverse depth in 1/steps of what the camera sees in the room."""
    return room().max(axis=0) * step


@pytest.mark.parametrize("name", MOTIONS)
def test_exact_flow_gives_exact_inverse_depth(name):
    R, T = MOTIONS[name]
    rho = seen()
    depth = pair_depth(flow_of(rho, R, T), SURE, K, R, T)
    known = depth.unknown == 0
    assert known.mean() > 0.7
    np.testing.assert_allclose(depth.inverse[known], rho[known], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("name", MOTIONS)
def test_unknown_is_nan_and_has_a_reason(name):
    R, T = MOTIONS[name]
    sigma = SURE.copy()
    sigma[20:30, 40:60] = np.nan
    sigma[50:60, 40:60] = np.inf
    depth = pair_depth(flow_of(seen(), R, T), sigma, K, R, T)
    np.testing.assert_array_equal(np.isnan(depth.inverse), depth.unknown != 0)
    np.testing.assert_array_equal(np.isnan(depth.variance), depth.unknown != 0)
    np.testing.assert_array_equal((depth.unknown & Unknown.NO_EVIDENCE) != 0, ~np.isfinite(sigma))


def test_pixels_that_leave_the_image_are_outside():
    R, T = MOTIONS["turning"]
    vectors = flow_of(seen(), R, T)
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    px, py = x + vectors[..., 0], y + vectors[..., 1]
    left = (px < 0) | (py < 0) | (px > SHAPE[1] - 1) | (py > SHAPE[0] - 1)
    assert left.any()
    depth = pair_depth(vectors, SURE, K, R, T)
    np.testing.assert_array_equal((depth.unknown & Unknown.OUTSIDE) != 0, left)


def test_doubled_depth_halves_inverse_depth():
    R, T = MOTIONS["turning"]
    near = signed_inverse_depth(flow_of(seen(), R, T), SURE, K, R, T)[0]
    far = signed_inverse_depth(flow_of(seen() / 2, R, T), SURE, K, R, T)[0]
    np.testing.assert_allclose(far, near / 2, rtol=2e-3, atol=1e-5)


def test_opposite_flow_or_opposite_step_is_depth_of_opposite_sign():
    R, T = MOTIONS["sideways"]
    vectors = flow_of(seen(), R, T)
    rho = signed_inverse_depth(vectors, SURE, K, R, T)[0]
    np.testing.assert_allclose(signed_inverse_depth(-vectors, SURE, K, R, T)[0], -rho, rtol=1e-4)
    np.testing.assert_allclose(signed_inverse_depth(vectors, SURE, K, R, -T)[0], -rho, rtol=1e-4)
    behind = pair_depth(-vectors, SURE, K, R, T)
    assert np.all(behind.unknown & Unknown.MOVING)


def test_swapped_pair_tells_the_same_plane():
    R, T = MOTIONS["turning"]
    n = np.array([0.01, 0.02, 0.05])  # in 1/steps, on the reference
    n_target = R @ n / (1 + n @ R.T @ T)
    back = flow_of(rays() @ n_target, R.T, -R.T @ T)
    rho = signed_inverse_depth(back, SURE, K, R.T, -R.T @ T)[0]
    np.testing.assert_allclose(rho, rays() @ n_target, rtol=1e-3)
    y, x = 60, 90  # one point, there and back
    u = flow_of(rays() @ n, R, T)[y, x]
    end = np.linalg.inv(K) @ [x + u[0], y + u[1], 1]
    there = signed_inverse_depth(flow_of(rays() @ n, R, T), SURE, K, R, T)[0][y, x]
    depth_in_target = (R @ rays()[y, x] / there + T)[2]
    np.testing.assert_allclose(end @ n_target, 1 / depth_in_target, rtol=1e-4)


@pytest.mark.parametrize("name", MOTIONS)
def test_cropping_image_and_camera_leaves_depth_unchanged(name):
    R, T = MOTIONS[name]
    a, b = 23, 17
    vectors = noisy(flow_of(seen(), R, T), 0.05, seed=1)
    cropped_K = K - [[0, 0, a], [0, 0, b], [0, 0, 0]]
    whole = signed_inverse_depth(vectors, SURE, K, R, T)
    part = signed_inverse_depth(vectors[b:, a:].copy(), SURE[b:, a:].copy(), cropped_K, R, T)
    informative = whole[1][b:, a:] < np.median(whole[1])
    for before, after in zip(whole, part, strict=True):
        np.testing.assert_allclose(after[informative], before[b:, a:][informative], rtol=0.02, atol=1e-4)


def test_scaling_image_and_camera_leaves_depth_unchanged():
    R, T = MOTIONS["turning"]
    vectors = flow_of(seen(), R, T)
    half = np.diag([0.5, 0.5, 1]) @ K
    rho = signed_inverse_depth(vectors[::2, ::2] / 2, SURE[::2, ::2].copy(), half, R, T)[0]
    np.testing.assert_allclose(rho, seen()[::2, ::2], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("name", MOTIONS)
def test_variance_tells_the_error(name):
    R, T = MOTIONS[name]
    sigma = np.random.default_rng(3).uniform(0.05, 0.4, SHAPE).astype(np.float32)
    rho = seen()
    rng = np.random.default_rng(4)
    vectors = (flow_of(rho, R, T) + rng.normal(0, 1, (*SHAPE, 2)) * 1.5 * sigma[..., None]).astype(np.float32)
    depth = pair_depth(vectors, 1.5 * sigma, K, R, T)
    known = depth.unknown == 0
    inside = np.abs(depth.inverse - rho)[known] < 2 * np.sqrt(depth.variance[known])
    assert 0.94 < inside.mean() < 0.97  # a Gaussian has 95.4% inside two standard deviations


def test_epipole_has_no_depth_and_its_surroundings_a_large_variance():
    R, T = MOTIONS["forward"]
    depth = pair_depth(flow_of(seen(), R, T), SURE, K, R, T)
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    distance = np.hypot(x - K[0, 2], y - K[1, 2])
    near = (depth.unknown & Unknown.NEAR_EPIPOLE) != 0
    assert near[distance < 7].all()
    assert not near[distance > 9].any()
    relative = np.sqrt(depth.variance) / depth.inverse
    assert np.nanmedian(relative[distance < 15]) > 3 * np.nanmedian(relative[distance > 50])


def test_what_moves_by_itself_is_found():
    R, T = MOTIONS["oblique"]
    vectors = flow_of(seen(), R, T)
    moving = np.zeros(SHAPE, bool)
    moving[60:80, 20:50] = True
    along = K[:2, 2] + K[:2, :2] @ (T[:2] / T[2]) - np.mgrid[: SHAPE[0], : SHAPE[1]][::-1].transpose(1, 2, 0)
    across = np.stack([-along[..., 1], along[..., 0]], axis=-1)
    vectors[moving] += (across / np.linalg.norm(across, axis=-1, keepdims=True))[moving]
    depth = pair_depth(vectors, SURE, K, R, T)
    np.testing.assert_array_equal((depth.unknown & Unknown.MOVING) != 0, moving)


def test_points_that_nearer_ones_cover_are_occluded():
    R, T = MOTIONS["sideways"]
    rho = np.full(SHAPE, 0.02)
    rho[:, 80:100] = 0.06  # moves 5.6 pixels further to the right than what is behind it
    depth = pair_depth(flow_of(rho, R, T), SURE, K, R, T)
    hidden = (depth.unknown & Unknown.OCCLUDED) != 0
    assert hidden[:, 101:104].all()
    assert not hidden[:, :100].any()
    assert not hidden[:, 108:].any()


def time_to_contact(inverse_depth, R, T):
    unknown = np.zeros(inverse_depth.shape, np.uint8)
    return Depth(inverse_depth, inverse_depth, unknown, approach=approach(R, T)).time_to_contact


def test_time_to_contact_is_depth_over_approach():
    R, T = MOTIONS["turning"]
    rho = seen().astype(np.float32)
    forward = (R.T @ T)[2]  # of each step, along the optical axis of the newest frame
    np.testing.assert_allclose(time_to_contact(rho, R, T), 1 / rho / forward, rtol=1e-5)
    assert (time_to_contact(rho, *MOTIONS["backwards"]) < 0).all()
    assert np.isnan(time_to_contact(rho, *MOTIONS["sideways"])).all()
    assert np.isnan(time_to_contact(-rho, R, T)).all()


def test_walking_up_to_a_wall_takes_as_many_steps_as_it_is_far():
    R, T = MOTIONS["forward"]
    rho = np.full(SHAPE, 1 / 7.0)
    depth = pair_depth(flow_of(rho, R, T), SURE, K, R, T)
    np.testing.assert_allclose(np.nanmedian(time_to_contact(depth.inverse, R, T)), 7, rtol=1e-3)


def test_parallax_is_the_motion_without_the_turning():
    R, T = MOTIONS["turning"]
    far = np.full(SHAPE, 1e-9)
    assert median_parallax(flow_of(far, R, T), K, R) < 1e-2
    sideways = flow_of(np.full(SHAPE, 0.05), np.eye(3), np.array([1.0, 0, 0]))
    np.testing.assert_allclose(median_parallax(sideways, K, np.eye(3)), 0.05 * K[0, 0], rtol=1e-4)
