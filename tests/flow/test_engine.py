"""The flow engine against scenes whose motion is known exactly."""

import itertools

import cv2
import numpy as np
import pytest

from streamflow.flow.compose import chained
from streamflow.flow.engine import FlowEngine
from streamflow.flow.presets import PRESETS

HEIGHT, WIDTH = 101, 167


# Of the tolerances: at half size, waves of 5 pixels are 2.5.
LOOSENESS = {"fast": 4.0, "balanced": 1.0, "accurate": 1.0}


@pytest.fixture(scope="module", params=sorted(PRESETS))
def preset(request):
    return request.param


@pytest.fixture(scope="module")
def engine(preset):
    return FlowEngine(preset)


@pytest.fixture
def looseness(preset):
    return LOOSENESS[preset]


@pytest.fixture(scope="module")
def balanced():
    return FlowEngine("balanced")


def surface(x, y, seed=0):
    """Grey values of an endless smooth texture, a sum of 60 waves, at real-valued places."""
    rng = np.random.default_rng(seed)
    value = np.zeros_like(x)
    for length in rng.uniform(5, 40, 60):
        angle, phase = rng.uniform(0, 2 * np.pi, 2)
        value += np.cos(2 * np.pi / length * (np.cos(angle) * x + np.sin(angle) * y) + phase)
    return 127 + 12 * value


def as_image(value):
    return np.clip(np.round(value), 0, 255).astype(np.uint8)


def grid(height=HEIGHT, width=WIDTH):
    y, x = np.mgrid[:height, :width].astype(np.float64)
    return x, y


def affine_pair(matrix, height=HEIGHT, width=WIDTH):
    """Reference, target and flow for x_target = matrix [x, y, 1]."""
    x, y = grid(height, width)
    (a, b, c), (d, e, f) = matrix
    inverse = np.linalg.inv([[a, b], [d, e]])
    back_x = inverse[0, 0] * (x - c) + inverse[0, 1] * (y - f)
    back_y = inverse[1, 0] * (x - c) + inverse[1, 1] * (y - f)
    flow = np.stack([a * x + b * y + c - x, d * x + e * y + f - y], axis=-1)
    return as_image(surface(x, y)), as_image(surface(back_x, back_y)), flow


def seen_in_target(flow):
    """Return the pixels whose place in the target lies inside, and in the window's reach of the border."""
    x, y = grid(*flow.shape[:2])
    margin = 6
    tx, ty = x + flow[..., 0], y + flow[..., 1]
    return (tx > margin) & (tx < flow.shape[1] - margin) & (ty > margin) & (ty < flow.shape[0] - margin)


def errors(vectors, flow):
    return np.linalg.norm(vectors - flow, axis=-1)


@pytest.mark.parametrize("shift", [(0.3, -0.4), (2.6, 1.7), (-9.3, 5.2)])
def test_finds_a_translation(engine, looseness, shift):
    reference, target, flow = affine_pair([[1, 0, shift[0]], [0, 1, shift[1]]])
    vectors, _ = engine(reference, target)
    error = errors(vectors, flow)[seen_in_target(flow)]
    assert np.median(error) < 0.03 * looseness
    assert np.percentile(error, 95) < 0.08 * looseness


def test_finds_zoom_and_rotation(engine):
    scale, angle = 1.04, np.deg2rad(2)
    c, s = scale * np.cos(angle), scale * np.sin(angle)
    reference, target, flow = affine_pair([[c, -s, -1.0], [s, c, -4.0]])
    vectors, _ = engine(reference, target)
    error = errors(vectors, flow)[seen_in_target(flow)]
    assert np.median(error) < 0.15
    assert np.percentile(error, 95) < 0.3


def test_finds_two_motions_and_is_less_sure_between_them(engine):
    x, y = grid()
    left = x < WIDTH // 2
    reference = as_image(np.where(left, surface(x, y, 1), surface(x, y, 2)))
    target = as_image(np.where(left, surface(x + 1.5, y, 1), surface(x, y - 2, 2)))
    flow = np.where(left[..., None], [-1.5, 0.0], [0.0, 2.0])
    vectors, sigma = engine(reference, target)
    beside = np.abs(x - WIDTH // 2) > 12
    inside = seen_in_target(flow)
    assert np.median(errors(vectors, flow)[beside & inside]) < 0.03
    assert np.median(sigma[~beside & inside]) > 2 * np.median(sigma[beside & inside])


def test_brighter_and_more_contrast_hardly_matter(engine):
    reference, target, flow = affine_pair([[1, 0, 2.4], [0, 1, -1.3]])
    reference, target = reference // 2 + 20, target // 2 + 20
    brighter = as_image(1.3 * target + 20.0)
    inside = seen_in_target(flow)
    plain = errors(engine(reference, target)[0], flow)[inside]
    changed = errors(engine(reference, brighter)[0], flow)[inside]
    assert changed.mean() < 1.3 * plain.mean() + 0.005


def test_still_frames_have_exactly_zero_flow(engine):
    image = as_image(surface(*grid()) + np.random.default_rng(3).normal(0, 8, (HEIGHT, WIDTH)))
    vectors, sigma = engine(image, image.copy())
    assert not vectors.any()
    assert np.isfinite(sigma).all()
    assert (sigma > 0).all()


def test_a_constant_image_has_zero_flow_and_no_confidence(engine):
    flat = np.full((HEIGHT, WIDTH), 90, np.uint8)
    textured = as_image(surface(*grid()))
    vectors, sigma = engine(flat, flat.copy())
    assert not vectors.any()
    assert np.median(sigma) > 3 * np.median(engine(textured, textured.copy())[1])


@pytest.mark.parametrize("size", [(16, 16), (17, 16), (16, 640), (640, 17), (47, 61), (191, 192), (240, 180)])
def test_any_size_gives_the_motion(engine, looseness, size):
    reference, target, flow = affine_pair([[1, 0, 0.7], [0, 1, -0.4]], *size)
    vectors, sigma = engine(reference, target)
    assert vectors.shape == (*size, 2)
    assert sigma.shape == size
    assert vectors.dtype == sigma.dtype == np.float32
    assert np.isfinite(vectors).all()
    assert np.isfinite(sigma).all()
    assert np.median(errors(vectors, flow)) < 0.13 * looseness


def test_4k(balanced):
    reference, target, _ = affine_pair([[1, 0, 3.0], [0, 1, -2.0]], 540, 960)
    reference, target = (cv2.resize(image, None, fx=4, fy=4) for image in (reference, target))
    vectors, sigma = balanced(reference, target)
    assert vectors.shape == (2160, 3840, 2)
    assert np.median(np.linalg.norm(vectors - [12, -8], axis=-1)) < 0.1
    assert np.isfinite(sigma).all()


def test_transposed_images_give_the_transposed_flow(engine):
    reference, target, _ = affine_pair([[1.01, 0, 1.2], [0, 0.99, -2.1]])
    vectors, _ = engine(reference, target)
    turned, _ = engine(np.ascontiguousarray(reference.T), np.ascontiguousarray(target.T))
    difference = np.abs(turned.transpose(1, 0, 2)[..., ::-1] - vectors)
    assert np.median(difference) < 0.01


def test_inputs_may_be_read_only_and_are_not_touched(balanced):
    reference, target, _ = affine_pair([[1, 0, 1.0], [0, 1, 0.5]])
    copies = reference.copy(), target.copy()
    reference.setflags(write=False)
    target.setflags(write=False)
    balanced(reference, target)
    np.testing.assert_array_equal(reference, copies[0])
    np.testing.assert_array_equal(target, copies[1])


def test_inputs_may_be_views(balanced):
    reference, target, _ = affine_pair([[1, 0, 1.0], [0, 1, 0.5]])
    expected = balanced(
        np.ascontiguousarray(reference[3:90, 5:120]), np.ascontiguousarray(target[3:90, 5:120])
    )
    for found, right in zip(balanced(reference[3:90, 5:120], target[3:90, 5:120]), expected, strict=True):
        np.testing.assert_array_equal(found, right)


def test_streaming_equals_one_shot(engine):
    x, y = grid()
    frames = [as_image(surface(x - 1.3 * t, y + 0.6 * t)) for t in range(5)]
    fresh = [engine(new, old) for old, new in itertools.pairwise(frames)]
    previous = engine.prepare(frames[0])
    streamed = []
    for frame in frames[1:]:
        newest = engine.prepare(frame)
        streamed.append(engine.flow(newest, previous))
        previous = newest
    for once, again in zip(fresh, streamed, strict=True):
        np.testing.assert_array_equal(once[0], again[0])
        np.testing.assert_array_equal(once[1], again[1])


def test_returned_arrays_belong_to_the_caller(balanced):
    reference, target, _ = affine_pair([[1, 0, 1.0], [0, 1, 0.5]])
    vectors, sigma = balanced(reference, target)
    kept = vectors.copy(), sigma.copy()
    balanced(target, reference)
    np.testing.assert_array_equal(vectors, kept[0])
    np.testing.assert_array_equal(sigma, kept[1])


def test_prepared_frames_outlive_later_ones(balanced):
    x, y = grid()
    frames = [as_image(surface(x - 1.5 * t, y)) for t in range(6)]
    prepared = [balanced.prepare(frame) for frame in frames]
    vectors, _ = balanced.flow(prepared[0], prepared[2])
    np.testing.assert_array_equal(vectors, balanced(frames[0], frames[2])[0])


def test_a_start_nearby_leads_to_the_same_flow(engine, looseness):
    reference, target, truth = affine_pair([[1.02, 0.01, 9.0], [-0.01, 1.01, -6.0]])
    start = (truth[::2, ::2] + [0.7, -0.5]).astype(np.float32)
    vectors, sigma = engine.flow(engine.prepare(reference), engine.prepare(target), start)
    inside = errors(vectors, truth)
    assert np.median(inside) < 0.05 * looseness
    assert np.isfinite(sigma).all()


def test_chained_flows_lead_to_where_both_lead():
    """Two affine motions: the flow of one after the other, at every second pixel."""
    x, y = grid()
    first = np.stack([0.02 * x - 3, 0.01 * y + 2], axis=-1).astype(np.float32)
    second = np.stack([1 + 0.03 * y, 0.02 * x], axis=-1).astype(np.float32)
    x1, y1 = x + first[..., 0], y + first[..., 1]
    together = np.stack([x1 + 1 + 0.03 * y1 - x, y1 + 0.02 * x1 - y], axis=-1)[::2, ::2]
    found = chained(first, second)
    assert found.shape == together.shape
    inside = ((x1 > 0) & (y1 > 0) & (x1 < WIDTH - 1) & (y1 < HEIGHT - 1))[::2, ::2]
    np.testing.assert_allclose(found[inside], together[inside], atol=0.5 * 0.05 + 1e-4)  # half a pixel aside
    assert np.isfinite(found).all()


def test_a_second_size_works_and_so_does_the_first_again(balanced):
    small = affine_pair([[1, 0, 1.1], [0, 1, 0.4]], 47, 61)
    large = affine_pair([[1, 0, 1.1], [0, 1, 0.4]])
    first = balanced(*large[:2])[0]
    assert np.median(errors(balanced(*small[:2])[0], small[2])) < 0.05
    np.testing.assert_array_equal(balanced(*large[:2])[0], first)


def test_wrong_use_is_refused(balanced):
    image = np.zeros((30, 40), np.uint8)
    with pytest.raises(ValueError, match="choose one of"):
        FlowEngine("best")
    with pytest.raises(ValueError, match="grey uint8"):
        balanced.prepare(np.zeros((30, 40, 3), np.uint8))
    with pytest.raises(ValueError, match="grey uint8"):
        balanced.prepare(image.astype(np.float32))
    with pytest.raises(ValueError, match="at least 16x16"):
        balanced.prepare(image[:10])
    with pytest.raises(ValueError, match="one size"):
        balanced(image, np.zeros((40, 30), np.uint8))
