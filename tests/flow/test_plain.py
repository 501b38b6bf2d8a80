"""The closed form against a least-squares solver, pixel by pixel."""

from typing import get_args

import numpy as np
import pytest
import scipy.ndimage

from streamflow.flow.methods import dense_flow
from streamflow.flow.plain import PlainFlow, lucas_kanade
from streamflow.flow.presets import PRESETS
from streamflow.flow.smin import smallest_singular_value
from streamflow.kernels.derivatives import DERIVATIVE, SMOOTHING, space_derivatives, time_derivative
from streamflow.options import FlowMethod

HALF = 2


def textured(height: int, width: int, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=(height, width))
    smooth = scipy.ndimage.gaussian_filter(noise, 1.5)
    image = np.clip(128 + 60 * smooth / smooth.std(), 0, 255).astype(np.uint8)
    image[: height // 3, : width // 4] = 90  # flat
    image[height // 2 :, : width // 4] = np.where(np.arange(width // 4) < 6, 40, 200)  # a straight edge
    return image


def solved_one_by_one(ix: np.ndarray, iy: np.ndarray, it: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    height, width = ix.shape
    flow, smin = np.zeros((height, width, 2)), np.zeros((height, width))
    for y in range(height):
        for x in range(width):
            window = np.s_[max(0, y - HALF) : y + HALF + 1, max(0, x - HALF) : x + HALF + 1]
            system = np.column_stack([ix[window].ravel(), iy[window].ravel()]).astype(float)
            flow[y, x], _, _, singular = np.linalg.lstsq(system, -it[window].ravel(), rcond=1e-6)
            smin[y, x] = singular[-1]
    return flow, smin


@pytest.mark.parametrize("shape", [(47, 61), (61, 47)])
def test_equals_least_squares_at_every_pixel(shape: tuple[int, int]) -> None:
    reference, target = textured(*shape, 1), textured(*shape, 2)
    ix, iy = space_derivatives(reference)
    it = time_derivative(reference, target)
    flow, smin = lucas_kanade(ix, iy, it)
    expected_flow, expected_smin = solved_one_by_one(ix, iy, it)
    np.testing.assert_allclose(smin, expected_smin, atol=1e-4)
    sure = expected_smin > 1
    assert sure.mean() > 0.5
    np.testing.assert_allclose(flow[sure], expected_flow[sure], atol=1e-4)


def test_a_straight_edge_moves_along_its_normal_only_and_a_flat_window_not_at_all() -> None:
    reference = textured(47, 61, 1)
    target = np.roll(reference, 1, axis=1)
    ix, iy = space_derivatives(reference)
    it = time_derivative(reference, target)
    flow, smin = lucas_kanade(ix, iy, it)
    edge = np.s_[32:38, 3:10]
    assert smin[edge].max() < 1e-3
    assert abs(ix[edge]).max() > 10
    assert abs(flow[edge][..., 1]).max() == 0
    assert abs(flow[edge][..., 0]).max() > 0.1
    assert not flow[3:8, 3:8].any()


def test_smin_alone_is_the_same() -> None:
    ix, iy = space_derivatives(textured(47, 61, 3))
    np.testing.assert_allclose(smallest_singular_value(ix, iy), lucas_kanade(ix, iy, ix)[1], atol=1e-4)


def test_smin_scales_with_brightness() -> None:
    ix, iy = space_derivatives(textured(47, 61, 3))
    np.testing.assert_allclose(
        smallest_singular_value(3 * ix, 3 * iy), 3 * smallest_singular_value(ix, iy), rtol=1e-5, atol=1e-5
    )


def test_derivatives_are_scipys_convolution() -> None:
    grey = textured(47, 61, 4)
    ix, iy = space_derivatives(grey)
    across = scipy.ndimage.convolve1d(grey.astype(float), DERIVATIVE, axis=1)
    down = scipy.ndimage.convolve1d(grey.astype(float), DERIVATIVE, axis=0)
    np.testing.assert_allclose(ix, scipy.ndimage.convolve1d(across, SMOOTHING, axis=0), atol=1e-4)
    np.testing.assert_allclose(iy, scipy.ndimage.convolve1d(down, SMOOTHING, axis=1), atol=1e-4)


def test_derivatives_of_a_moving_ramp() -> None:
    x, y = np.meshgrid(np.arange(61), np.arange(47))
    reference = (2 * x + y).astype(np.uint8)
    target = (2 * x + y + 5).astype(np.uint8)
    inside = np.s_[3:-3, 3:-3]
    ix, iy = space_derivatives(reference)
    np.testing.assert_allclose(ix[inside], 2, atol=1e-5)
    np.testing.assert_allclose(iy[inside], 1, atol=1e-5)
    np.testing.assert_allclose(time_derivative(reference, target)[inside], 5, atol=1e-4)


def surface(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return 120 + 40 * np.sin(0.31 * x + 0.12 * y) + 35 * np.cos(0.17 * x - 0.29 * y)


def test_the_method_finds_a_small_motion_and_how_well() -> None:
    x, y = np.meshgrid(np.arange(61.0), np.arange(47.0))
    noise = np.random.default_rng(5).normal(0, 2, (2, 47, 61))
    reference = np.round(surface(x, y) + noise[0]).astype(np.uint8)
    target = np.round(surface(x - 0.3, y + 0.2) + noise[1]).astype(np.uint8)
    method = PlainFlow()
    vectors, sigma = method.flow(method.prepare(reference), method.prepare(target))
    error = (vectors - [0.3, -0.2])[4:-4, 4:-4]
    assert abs(np.median(error, axis=(0, 1))).max() < 0.02
    assert sigma.shape == (47, 61)
    assert sigma.dtype == np.float32
    assert 0.8 < np.median(abs(error)) / np.median(0.6745 * sigma[4:-4, 4:-4]) < 1.25


def test_without_texture_the_error_has_no_bound() -> None:
    flat, method = np.full((47, 61), 90, np.uint8), PlainFlow()
    vectors, sigma = method.flow(method.prepare(flat), method.prepare(flat))
    assert not vectors.any()
    assert np.isposinf(sigma).all()


def test_every_method_that_can_be_asked_for_exists() -> None:
    assert set(get_args(FlowMethod)) == {*PRESETS, "plain"}
    assert isinstance(dense_flow("plain"), PlainFlow)
    with pytest.raises(ValueError, match="choose one of"):
        dense_flow("best")
