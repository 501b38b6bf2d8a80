"""Planes in a flow: found, told apart, and taken where the flow's own vectors are not to be believed."""

import cv2
import numpy as np
import pytest

from streamflow.flow.engine import FlowEngine
from streamflow.flow.gradients import pack_neighbours
from streamflow.flow.plane_alignment import align
from streamflow.flow.plane_choice import PlaneChoice, brightness, warp
from streamflow.flow.plane_homography import Plane, planar_flow
from streamflow.flow.plane_search import PlaneSearch
from tests.support.levels import level_of

HEIGHT, WIDTH = 101, 167
ZOOM = np.array([[1.04, -0.02, 1.5], [0.015, 1.05, -2.0], [1e-4, -2e-4, 1.0]])
TURN = np.array([[0.98, 0.05, -3.0], [-0.04, 1.0, 4.0], [0.0, 1e-4, 1.0]])


def flow_of(H, height=HEIGHT, width=WIDTH):
    y, x = np.mgrid[:height, :width]
    points = np.stack([x, y], axis=-1).astype(np.float64)
    moved = cv2.perspectiveTransform(points.reshape(1, -1, 2), H).reshape(points.shape)
    return np.ascontiguousarray(np.moveaxis(moved - points, -1, 0), np.float32)


def flow_of_plane(plane, height=HEIGHT, width=WIDTH):
    flow = np.empty((2, height, width), np.float32)
    planar_flow(plane.homography, flow)
    return flow


def distance(flow, other):
    return np.hypot(*(flow - other))


def test_finds_two_planes_among_outliers():
    left = np.arange(WIDTH) < 0.65 * WIDTH
    flow = np.where(left, flow_of(ZOOM), flow_of(TURN))
    rng = np.random.default_rng(0)
    wrong = rng.random((HEIGHT, WIDTH)) < 0.2
    flow[:, wrong] = rng.normal(0, 5, (2, wrong.sum()))
    planes = PlaneSearch(HEIGHT, WIDTH)(np.asarray(flow, np.float32), np.ones((HEIGHT, WIDTH), np.float32), 2)
    assert len(planes) == 2
    assert distance(flow_of_plane(planes[0]), flow_of(ZOOM))[:, left].max() < 0.05
    assert distance(flow_of_plane(planes[1]), flow_of(TURN))[:, ~left].max() < 0.05


def test_the_unsure_have_no_say():
    right = np.arange(WIDTH) >= 0.55 * WIDTH
    flow = np.where(right, flow_of(ZOOM), flow_of(TURN))
    sigma = np.broadcast_to(np.where(right, 5.0, 0.1), (HEIGHT, WIDTH)).astype(np.float32)
    (plane,) = PlaneSearch(HEIGHT, WIDTH)(flow, sigma, 1)
    assert distance(flow_of_plane(plane), flow_of(TURN))[:, ~right].max() < 0.05


def test_a_plane_of_unsure_vectors_is_found_too():
    horizon = 45
    rng = np.random.default_rng(5)
    flow, sigma = flow_of(TURN), np.full((HEIGHT, WIDTH), 0.1, np.float32)
    flow[:, horizon:] = flow_of(ZOOM)[:, horizon:] + rng.normal(0, 0.5, flow[:, horizon:].shape)
    sigma[horizon:] = 2
    sure, unsure = PlaneSearch(HEIGHT, WIDTH)(flow, sigma, 2)
    assert sure.support > 5 * unsure.support
    assert distance(flow_of_plane(sure), flow_of(TURN))[:horizon].max() < 0.05
    assert distance(flow_of_plane(unsure), flow_of(ZOOM))[horizon:].max() < 0.5


def test_a_flow_without_planes_has_none():
    flow = np.random.default_rng(1).normal(0, 8, (2, HEIGHT, WIDTH)).astype(np.float32)
    assert PlaneSearch(HEIGHT, WIDTH)(flow, np.ones((HEIGHT, WIDTH), np.float32), 3) == []


def test_a_still_plane_is_still_exactly():
    still, sure = np.zeros((2, HEIGHT, WIDTH), np.float32), np.ones((HEIGHT, WIDTH), np.float32)
    (plane,) = PlaneSearch(HEIGHT, WIDTH)(still, sure, 3)
    assert not flow_of_plane(plane).any()


def test_warp_is_bilinear():
    rng = np.random.default_rng(2)
    image = rng.integers(0, 256, (47, 61), dtype=np.uint8)
    flow = rng.uniform(-9, 9, (2, 47, 61)).astype(np.float32)
    packed, seen = np.empty((47, 61), np.uint32), np.empty((47, 61), np.float32)
    pack_neighbours(image, packed)
    warp(packed, flow, seen)
    y, x = np.mgrid[:47, :61]
    place_x, place_y = (x + flow[0]).astype(np.float32), (y + flow[1]).astype(np.float32)
    inside = (place_x >= 0) & (place_x <= 60) & (place_y >= 0) & (place_y <= 46)
    # OpenCV rounds the place to 1/32 of a pixel
    expected = cv2.remap(image.astype(np.float32), place_x, place_y, cv2.INTER_LINEAR)
    assert np.abs(seen - expected)[inside].max() < 9
    assert np.abs(seen - expected)[inside].mean() < 1
    assert (seen[~inside] == -1).all()


@pytest.mark.parametrize(("gain", "offset"), [(1.0, 0.0), (1.3, 20.0), (0.6, -5.0)])
def test_brightness_is_that_of_what_is_seen(gain, offset):
    rng = np.random.default_rng(6)
    grey = rng.integers(40, 160, (47, 61), dtype=np.uint8)
    seen, sigma = (gain * grey + offset).astype(np.float32), np.full((47, 61), 0.1, np.float32)
    seen[:, :9] = -1  # outside
    seen[30:], sigma[30:] = rng.uniform(0, 255, (17, 61)), 30  # mismatched, and known to be
    found_gain, found_offset = brightness(grey, seen, sigma)
    assert found_gain == pytest.approx(gain, abs=0.002)
    assert found_offset == pytest.approx(offset, abs=0.2)


def leafy(height, width, seed):
    noise = np.random.default_rng(seed).normal(0, 60, (height, width))
    return np.clip(127 + 3 * cv2.GaussianBlur(noise, (0, 0), 1.5), 0, 255).astype(np.uint8)


def seen_by_moving(target, flow):
    y, x = np.mgrid[: target.shape[0], : target.shape[1]].astype(np.float32)
    return cv2.remap(target, x + flow[0], y + flow[1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)


def test_alignment_is_exact_where_vectors_are_not():
    target, truth = leafy(HEIGHT, WIDTH, 7), flow_of(ZOOM)
    reference = seen_by_moving(target, truth)
    right = np.arange(WIDTH) > 0.4 * WIDTH
    flow, sigma = truth + np.float32(0.3), np.full((HEIGHT, WIDTH), 0.3, np.float32)
    flow[:, :, right], sigma[:, right] = np.random.default_rng(8).normal(0, 5, flow[:, :, right].shape), 20
    (found,) = PlaneSearch(HEIGHT, WIDTH)(flow, sigma, 1)
    assert distance(flow_of_plane(found), truth).max() > 0.4
    (aligned,) = align([found], level_of(reference), level_of(target), flow, sigma, 20)
    assert distance(flow_of_plane(aligned), truth)[:, right].max() < 0.15


def test_alignment_keeps_to_the_vectors_where_grey_values_tell_nothing():
    bare = np.full((HEIGHT, WIDTH), 120, np.uint8)
    flow, sigma = flow_of(TURN), np.full((HEIGHT, WIDTH), 0.3, np.float32)
    (found,) = PlaneSearch(HEIGHT, WIDTH)(flow, sigma, 1)
    (aligned,) = align([found], level_of(bare), level_of(bare), flow, sigma, 5)
    assert distance(flow_of_plane(aligned), flow_of(TURN)).max() < 0.05


def test_alignment_of_a_still_plane_is_still_exactly():
    grey, flow = leafy(HEIGHT, WIDTH, 9), np.zeros((2, HEIGHT, WIDTH), np.float32)
    still = Plane(np.zeros(8), 1.0)
    level = level_of(grey)
    (aligned,) = align([still], level, level, flow, np.ones((HEIGHT, WIDTH), np.float32), 5)
    assert not flow_of_plane(aligned).any()


@pytest.mark.parametrize(("gain", "offset"), [(1.0, 0.0), (1.3, 20.0)])
def test_a_plane_fills_what_is_unsure_and_leaves_what_is_sure(gain, offset):
    target = leafy(HEIGHT, WIDTH, 3)
    truth = flow_of(ZOOM)
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    thing = (np.abs(x - 120) < 25) & (np.abs(y - 45) < 25)
    truth[:, thing] = flow_of(TURN)[:, thing]
    reference = seen_by_moving(target, truth)
    target = np.clip(gain * target + offset, 0, 255).astype(np.uint8)
    unsure = (np.abs(x - 45) < 12) & (np.abs(y - 50) < 12)
    flow, sigma = truth.copy(), np.full((HEIGHT, WIDTH), 0.2, np.float32)
    flow[:, unsure] += 4
    sigma[unsure] = 5
    planes = PlaneSearch(HEIGHT, WIDTH)(flow, sigma, 1)
    PlaneChoice(HEIGHT, WIDTH)(planes, level_of(reference), level_of(target), flow, sigma)
    error = distance(flow, truth)
    assert error[unsure].max() < 0.1
    assert error[thing].max() < 0.1


@pytest.mark.parametrize("preset", ["balanced", "accurate"])
def test_a_bare_wall_moves_with_its_frame(preset):
    height, width = 241, 321
    y, x = np.mgrid[:height, :width].astype(np.float32)
    target = leafy(height, width, 4)
    wall = (np.abs(x - 160) < 90) & (np.abs(y - 120) < 60)
    target[wall] = 140
    truth = flow_of(np.array([[1.03, 0, -2.0], [0, 1.03, 1.0], [0, 0, 1.0]]), height, width)
    reference = cv2.remap(target, x + truth[0], y + truth[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    vectors, _ = FlowEngine(preset)(reference, target)
    inner = (np.abs(x - 160) < 60) & (np.abs(y - 120) < 30)
    assert np.linalg.norm(np.moveaxis(vectors, -1, 0) - truth, axis=0)[inner].max() < 0.5


def test_a_plane_is_not_taken_where_it_leads_outside_and_the_vector_does_not():
    target = leafy(HEIGHT, WIDTH, 3)
    flow, sigma = np.zeros((2, HEIGHT, WIDTH), np.float32), np.full((HEIGHT, WIDTH), 50, np.float32)
    away = Plane(np.array([0, 0, 0.5, 0, 0, 0, 0, 0]), 1.0)  # a quarter of the image to the right
    PlaneChoice(HEIGHT, WIDTH)([away], level_of(target), level_of(target), flow, sigma)
    outside = np.arange(WIDTH) + 0.25 * WIDTH > WIDTH - 1
    assert not flow[:, :, outside].any()
