"""Depth over time: the filter's steps, its scale, and what it gains."""

import numpy as np
import pytest

from streamflow.depth.fusion import DepthFusion
from streamflow.depth.kalman import predict, update
from streamflow.depth.keyframe import KeyframeSelector
from streamflow.depth.pair import pair_depth
from streamflow.depth.scale import step_length
from streamflow.values import Depth, Unknown
from tests.support.scenes import SHAPE, K, flow_of, noisy, rays, room, turn, unit

R = turn((0.1, -0.4, 0.1))
T = unit((-0.4, 0.05, 1))
SURE = np.full(SHAPE, 0.05, np.float32)
KNOWN = np.zeros(SHAPE, np.uint8)


def seen(frame: int, step: float = 0.12) -> np.ndarray:
    """1/z in a room, `frame` equal steps (R, T) after the first; the way back is (R, step * T)."""
    planes = []
    for n in np.linalg.lstsq(rays().reshape(-1, 3), room().reshape(3, -1).T, rcond=None)[0].T:
        for _ in range(frame):
            n = R.T @ n / (1 - step * n @ T)
        planes.append(rays() @ n)
    return np.max(planes, axis=0)


def depth_of(inverse: np.ndarray, relative: float = 0.01) -> Depth:
    return Depth(inverse.astype(np.float32), ((relative * inverse) ** 2).astype(np.float32), KNOWN.copy())


def test_prediction_is_the_depth_of_the_next_frame():
    before, now = seen(0), seen(1)
    vectors = flow_of(now, R, 0.12 * T)
    left = pair_depth(vectors, SURE, K, R, T).unknown & Unknown.OUTSIDE
    variance = np.full(SHAPE, 1e-6, np.float32)
    predicted, spread = predict(before.astype(np.float32), variance, vectors, left, K, R, 0.12 * T)
    assert np.isnan(predicted[left > 0]).all()
    error = np.abs(predicted - now)[left == 0] / now[left == 0]
    assert np.median(error) < 1e-4
    assert np.percentile(error, 99) < 0.03  # edges, where two surfaces meet in one pixel
    assert (spread[left == 0] > 0).all()


def test_two_equal_measurements_halve_the_variance():
    rho = seen(0).astype(np.float32)
    variance = np.full(SHAPE, 1e-4, np.float32)
    joined = update(rho, variance, Depth(rho * 2, variance * 4, KNOWN), unit=2.0)
    np.testing.assert_allclose(joined.inverse, rho, rtol=1e-5)
    np.testing.assert_allclose(joined.variance, variance / 2, rtol=1e-5)


def test_contradiction_keeps_the_surer_one_and_doubts_it():
    sure, unsure = np.float32(1e-6), np.float32(1e-4)
    one = np.ones((1, 1), np.float32)
    known = np.zeros((1, 1), np.uint8)
    kept = update(one, sure * one, Depth(2 * one, unsure * one, known), unit=1.0)
    assert kept.inverse == 1
    np.testing.assert_allclose(kept.variance, 4 * sure)
    taken = update(one, unsure * one, Depth(2 * one, sure * one, known), unit=1.0)
    assert taken.inverse == 2
    np.testing.assert_allclose(taken.variance, sure)


def test_unknown_on_one_side_takes_the_other_and_on_both_stays_unknown():
    nothing, some, var = (np.full((1, 1), v, np.float32) for v in (np.nan, 0.2, 1e-4))
    known = np.zeros((1, 1), np.uint8)
    occluded = np.full((1, 1), Unknown.OCCLUDED, np.uint8)
    assert update(nothing, nothing, Depth(some, var, known), 1.0).inverse == some
    kept = update(some, var, Depth(nothing, nothing, occluded), 1.0)
    assert kept.inverse == some
    assert kept.unknown == 0
    lost = update(nothing, nothing, Depth(nothing, nothing, occluded), 1.0)
    assert np.isnan(lost.inverse)
    assert np.isnan(lost.variance)
    assert lost.unknown == Unknown.OCCLUDED
    unsure = update(nothing, nothing, Depth(some, some, known), 1.0)  # known, but as good as not
    assert unsure.unknown == Unknown.NO_EVIDENCE


@pytest.mark.parametrize("step", [0.06, 0.12, 0.3])
def test_step_length_is_found(step):
    now = seen(1, step)
    vectors = noisy(flow_of(now, R, step * T), 0.05, seed=2)
    pair = pair_depth(vectors, SURE, K, R, T)
    before = depth_of(seen(0, step) * 2)  # known in a unit twice as long
    length = step_length(before.inverse, before.variance, pair, vectors, K, R, T)
    assert length == pytest.approx(step / 2, rel=0.02)


def test_step_length_needs_points_in_common():
    pair = pair_depth(flow_of(seen(1), R, 0.12 * T), SURE, K, R, T)
    nothing = np.full(SHAPE, np.nan, np.float32)
    assert step_length(nothing, nothing, pair, flow_of(seen(1), R, 0.12 * T), K, R, T) is None


def fused_room(frames: int, wide: bool) -> tuple[list, list]:
    """Errors of each pair and of the fused depth, relative, in the unit of the first step, noise .1 px."""
    fusion, pairs, fuseds, inside = DepthFusion(K), [], [], []
    sigma = np.full(SHAPE, 0.1, np.float32)
    for i in range(1, frames):
        rho = seen(i)
        vectors = noisy(flow_of(rho, R, 0.12 * T), 0.1, seed=i)
        pair = pair_depth(vectors, sigma, K, R, T)
        earlier = None
        if wide and i > 3:
            far_R, far_T = R @ R @ R, (R @ R + R + np.eye(3)) @ T
            far_T /= np.linalg.norm(far_T)
            length = 0.12 * np.linalg.norm((R @ R + R + np.eye(3)) @ T)
            far = noisy(flow_of(rho, far_R, length * far_T), 0.1, seed=99 + i)
            earlier = pair_depth(far, sigma, K, far_R, far_T)
        fused = fusion(vectors, R, T, pair, earlier)
        pairs.append(np.nanmedian(np.abs(pair.inverse / 0.12 - rho) / rho))
        fuseds.append(np.abs(fused.inverse / 0.12 - rho) / rho)
        assert fused.step == pytest.approx(1, rel=0.05)
        np.testing.assert_array_equal(np.isnan(fused.inverse), fused.unknown != 0)
        assert np.nanmin(fused.inverse) > 0
        true = rho * np.nanmedian(fused.inverse / rho)  # in the unit that the filter found
        inside.append(((fused.inverse - true) ** 2 < 4 * fused.variance)[fused.unknown == 0].mean())
    assert min(inside) > 0.9
    assert max(inside) < 0.99
    return pairs, fuseds


def test_fusion_is_better_than_a_pair_and_a_wide_baseline_better_still():
    pairs, fused = fused_room(9, wide=False)
    alone = np.nanmedian(fused[-1])
    assert alone < 0.6 * pairs[-1]
    assert np.nanmedian(fused_room(9, wide=True)[1][-1]) < 0.75 * alone


def test_errors_that_measurements_share_stay_in_what_is_stated_and_change_no_depth():
    """The same wrong flow again and again: many measurements know no more than the best of them."""
    sigma, alone, shared = np.full(SHAPE, 0.1, np.float32), DepthFusion(K), DepthFusion(K, shared=1.0)
    for i in range(1, 8):
        vectors = noisy(flow_of(seen(i), R, 0.12 * T), 0.1, seed=i)
        pair = pair_depth(vectors, sigma, K, R, T)
        independent, stated = (fusion(vectors, R, T, pair) for fusion in (alone, shared))
    np.testing.assert_array_equal(stated.inverse, independent.inverse)
    np.testing.assert_array_equal(stated.scatter, independent.variance)
    known = (stated.unknown == 0) & (pair.unknown == 0)
    single = pair.variance[known] / independent.step**2
    assert np.median(independent.variance[known] / single) < 0.3
    assert np.percentile(stated.variance[known] / single, 95) < 1.01
    assert np.median(stated.variance[known] / single) > 0.9


def test_reset_forgets():
    fusion = DepthFusion(K)
    vectors = flow_of(seen(1), R, 0.12 * T)
    pair = pair_depth(vectors, SURE, K, R, T)
    first = fusion(vectors, R, T, pair)
    fusion(vectors, R, T, pair)
    fusion.reset()
    np.testing.assert_array_equal(fusion(vectors, R, T, pair).inverse, first.inverse)


def test_depth_is_held_while_the_camera_only_turns_or_stands_still():
    fusion = DepthFusion(K)
    assert fusion.hold(np.zeros((*SHAPE, 2), np.float32), np.eye(3), np.zeros(3), 0.0, 0.005) is None
    vectors = flow_of(seen(1), R, 0.12 * T)
    first = fusion(vectors, R, T, pair_depth(vectors, SURE, K, R, T))
    still = fusion.hold(np.zeros((*SHAPE, 2), np.float32), np.eye(3), np.zeros(3), 0.0, 0.005)
    np.testing.assert_allclose(still.inverse, first.inverse, rtol=1e-5)
    assert still.step == 0
    turned = turn((0, 1.5, 0))
    n = np.array([0.01, 0.02, 0.1])  # a plane that the turned camera sees, and the one before it
    fusion = DepthFusion(K)
    before = rays() @ (turned @ n)
    fusion(vectors, R, T, Depth(before.astype(np.float32), (1e-6 * before).astype(np.float32), KNOWN))
    held = fusion.hold(flow_of(rays() @ n, turned, np.zeros(3)), turned, np.zeros(3), 0.0, 0.005)
    known = held.unknown == 0
    assert known.mean() > 0.9
    np.testing.assert_allclose(held.inverse[known], (rays() @ n)[known], rtol=1e-3)


def test_baseline_names_a_frame_far_enough_back_and_keeps_it_while_it_serves():
    selector = KeyframeSelector[int](parallax=(8, 14), longest=6)
    assert [selector.choose(i, 3.0) for i in range(8)] == [None, 0, 0, 0, 2, 2, 4, 4]
    assert selector.choose(8, 20.0) is None  # one step is enough
    selector.reset()
    assert selector.choose(9, 1.0) is None
    assert [selector.choose(i, 1.0) for i in range(10, 18)] == [9, 9, 9, 9, 9, 10, 11, 12]  # no older ones
