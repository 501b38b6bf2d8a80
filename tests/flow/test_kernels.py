"""The flow's kernels against plain arithmetic on whole arrays, at sizes that are no multiple of anything."""

import numpy as np
import pytest
import scipy.ndimage

from streamflow.flow.box_sums import RADIUS
from streamflow.flow.final_step import final_step
from streamflow.flow.gradients import invert_normal_matrix
from streamflow.flow.lucas_kanade import lucas_kanade_step
from streamflow.flow.pyramid import Level
from streamflow.flow.refine import refine
from streamflow.flow.upsample import upsample
from streamflow.flow.window_shift import OFFSET
from tests.support.levels import level_of

DAMPING, OUTSIDE_SSD, PENALTY = 81.0, 30.0, 1.1
SIZES = [(47, 61), (16, 17), (23, 130)]


def window_sums(values: np.ndarray) -> np.ndarray:
    return scipy.ndimage.convolve(values, np.ones((2 * RADIUS + 1, 2 * RADIUS + 1)), mode="constant")


def levels(height: int, width: int) -> tuple[Level, Level, np.ndarray]:
    """Reference and target at full size, and a flow that leaves the image here and there."""
    rng = np.random.default_rng(height)
    frames = []
    for _ in range(2):
        smooth = scipy.ndimage.gaussian_filter(rng.normal(size=(height, width)), 1.5)
        frames.append(level_of(np.clip(128 + 60 * smooth / smooth.std(), 0, 255).astype(np.uint8)))
    flow = 3 * scipy.ndimage.gaussian_filter(rng.normal(size=(2, height, width)), (0, 2, 2)) / 0.14
    return frames[0], frames[1], flow.astype(np.float32)


def inverse_with(level: Level, damping: float) -> np.ndarray:
    inverse, unused = np.empty((3, *level.image.shape), np.float32), np.empty(level.image.shape, np.float32)
    invert_normal_matrix(level.image, inverse, unused, damping)
    return inverse


def one_step(
    reference: Level, target: Level, flow: np.ndarray, translate_window: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the minimum of the damped sum of squares, and the sum without the damping there.

    The window shares the share `translate_window` of the flow; of the rest, each pixel keeps what it has.
    """
    n0, n1, u0 = reference.image.astype(float), target.image.astype(float), flow.astype(float)
    height, width = n0.shape
    gy, gx = np.gradient(np.pad(n0, 1, mode="edge"))
    gx, gy = gx[1:-1, 1:-1], gy[1:-1, 1:-1]
    y, x = np.mgrid[:height, :width] + u0[::-1]
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    warped = scipy.ndimage.map_coordinates(n1, [y, x], order=1, mode="nearest")
    kept, u0 = (1 - translate_window) * u0, translate_window * u0
    r = np.where(inside, warped - n0, 0) - gx * u0[0] - gy * u0[1]
    a, b, c = window_sums(gx * gx), window_sums(gx * gy), window_sums(gy * gy)
    p, q = window_sums(gx * r), window_sums(gy * r)
    damped = np.stack([np.stack([a + DAMPING, b], -1), np.stack([b, c + DAMPING], -1)], -2)
    right = np.stack([DAMPING * u0[0] - p, DAMPING * u0[1] - q], -1)
    u, v = np.moveaxis(np.linalg.solve(damped, right[..., None])[..., 0], -1, 0)
    squares = window_sums(r * r + OUTSIDE_SSD * ~inside)
    return np.stack([u, v]) + kept, squares + 2 * (u * p + v * q) + a * u * u + 2 * b * u * v + c * v * v


def shifted(flow: np.ndarray, ssd: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    before, after = (
        np.clip(np.arange(ssd.shape[axis]) + step, 0, ssd.shape[axis] - 1) for step in (-OFFSET, OFFSET)
    )
    candidates = [(flow, ssd)]
    for index in (before, after):
        candidates.append((flow.take(index, axis + 1), PENALTY * ssd.take(index, axis)))
    best = np.argmin([m for _, m in candidates], axis=0)
    return (
        np.take_along_axis(np.stack([f for f, _ in candidates]), best[None, None], 0)[0],
        np.take_along_axis(np.stack([m for _, m in candidates]), best[None], 0)[0],
    )


def weighted_mean(flow: np.ndarray, ssd: np.ndarray, smallest_eigenvalue: np.ndarray) -> np.ndarray:
    weight = (smallest_eigenvalue + 300.0) / (ssd / 81 + 5)
    return np.stack([window_sums(weight * component) for component in flow]) / window_sums(weight)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("translate_window", [0.0, 1.0])
def test_a_step_minimises_the_damped_squares(size: tuple[int, int], translate_window: float) -> None:
    reference, target, flow = levels(*size)
    reference.inverse[:] = inverse_with(reference, DAMPING)
    expected, expected_ssd = one_step(reference, target, flow, translate_window)
    ssd = np.empty(size, np.float32)
    found = flow.copy()
    lucas_kanade_step(
        reference.image,
        reference.inverse,
        target.neighbours.reshape(-1),
        found,
        ssd,
        OUTSIDE_SSD,
        DAMPING,
        translate_window,
    )
    np.testing.assert_allclose(found, expected, atol=2e-3)
    np.testing.assert_allclose(ssd, expected_ssd, rtol=2e-3, atol=1)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("translate_window", [0.0, 1.0])
def test_a_round_is_its_steps_one_after_the_other(size: tuple[int, int], translate_window: float) -> None:
    reference, target, flow = levels(*size)
    reference.inverse[:] = inverse_with(reference, DAMPING)
    neighbours = target.neighbours.reshape(-1)
    stepped, step_ssd = flow.copy(), np.empty(size, np.float32)
    lucas_kanade_step(
        reference.image,
        reference.inverse,
        neighbours,
        stepped,
        step_ssd,
        OUTSIDE_SSD,
        DAMPING,
        translate_window,
    )
    expected, least = shifted(*shifted(stepped, step_ssd, axis=1), axis=0)
    expected = weighted_mean(expected, least, reference.smallest_eigenvalue)
    ssd = np.empty(size, np.float32)
    refine(
        reference.image, reference.inverse, reference.smallest_eigenvalue, neighbours, flow, ssd,
        OUTSIDE_SSD, DAMPING, translate_window, PENALTY,
    )  # fmt: skip
    np.testing.assert_allclose(flow, expected, atol=1e-4)
    np.testing.assert_allclose(ssd, least, rtol=1e-5)


@pytest.mark.parametrize("size", SIZES)
def test_the_last_step_is_interpolation_and_a_step(size: tuple[int, int]) -> None:
    reference, target, flow = levels(*size)
    half = np.ascontiguousarray(flow[:, : (size[0] + 1) // 2, : (size[1] + 1) // 2])
    full, ssd, vectors = (
        np.empty_like(flow),
        np.empty(size, np.float32),
        np.empty((*size, 2), np.float32),
    )
    upsample(half, full)
    x, y = np.meshgrid(np.arange(size[1]) / 2, np.arange(size[0]) / 2)
    interpolated = [2 * scipy.ndimage.map_coordinates(c, [y, x], order=1, mode="nearest") for c in half]
    np.testing.assert_allclose(full, interpolated, atol=1e-4)
    reference.inverse[:] = inverse_with(reference, DAMPING)
    neighbours = target.neighbours.reshape(-1)
    lucas_kanade_step(reference.image, reference.inverse, neighbours, full, ssd, OUTSIDE_SSD, DAMPING, 1.0)
    final_step(reference.image, neighbours, half, vectors.reshape(size[0], -1), DAMPING)
    np.testing.assert_allclose(vectors, np.moveaxis(full, 0, -1), atol=1e-3)
