"""Variational refinement against plain arithmetic on whole arrays, and on motions that are known."""

import numpy as np
import pytest
import scipy.ndimage

from streamflow.flow.red_black import merge, relax
from streamflow.flow.variational import VariationalRefinement, linearise
from tests.support.levels import level_of

SIZES = [(23, 30), (30, 23), (17, 16)]
FLOOR2, DATA2, SMOOTH2 = 1.0, 0.1**2, 0.02**2
WEIGHT = 0.7


def texture(height: int, width: int, seed: int, shift: float = 0.0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=(height, width + 20))
    smooth = scipy.ndimage.gaussian_filter(noise, 1.5)
    smooth = scipy.ndimage.shift(128 + 50 * smooth / smooth.std(), (0, shift), order=3)
    return np.clip(np.round(smooth[:, 10:-10]), 0, 255).astype(np.uint8)


def system_of(reference: np.ndarray, target: np.ndarray, flow: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Matrix and right-hand side of the equations of Brox et al., written down pixel by pixel."""
    height, width = reference.shape
    y, x = np.mgrid[:height, :width] + flow[::-1].astype(float)
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    warped = scipy.ndimage.map_coordinates(target.astype(float), [y, x], order=1, mode="nearest")
    mean, z = (reference + warped) / 2, warped - reference

    def second(image: np.ndarray, axis: int) -> np.ndarray:
        padded = np.pad(image, 2, mode="edge")
        inner = tuple(slice(2, -2) for _ in range(2))
        moved = [np.roll(padded, step, axis)[inner] for step in (2, -2)]
        return (moved[0] - 2 * image + moved[1]) / 4

    def slope(image: np.ndarray, axis: int) -> np.ndarray:
        padded = np.pad(image, 2, mode="edge")
        return ((np.roll(padded, -1, axis) - np.roll(padded, 1, axis)) / 2)[2:-2, 2:-2]

    gxx, gyy = second(mean, 1), second(mean, 0)
    padded = np.pad(mean, 2, mode="edge")
    gxy = (padded[3:-1, 3:-1] - padded[3:-1, 1:-3] - padded[1:-3, 3:-1] + padded[1:-3, 1:-3]) / 4
    gxt, gyt = slope(z, 1), slope(z, 0)
    n1, n2 = 1 / (gxx**2 + gxy**2 + FLOOR2), 1 / (gxy**2 + gyy**2 + FLOOR2)
    share = WEIGHT * inside / np.sqrt(n1 * gxt**2 + n2 * gyt**2 + DATA2)
    xx, xy, yy = (
        share * (n1 * a * b + n2 * c * d)
        for a, b, c, d in ((gxx, gxx, gxy, gxy), (gxx, gxy, gxy, gyy), (gxy, gxy, gyy, gyy))
    )
    xt, yt = share * (n1 * gxx * gxt + n2 * gxy * gyt), share * (n1 * gxy * gxt + n2 * gyy * gyt)
    u, v = flow.astype(float)
    step_x = np.diff(flow.astype(float), axis=2, append=flow[:, :, -1:])
    step_y = np.diff(flow.astype(float), axis=1, append=flow[:, -1:])
    edge = 1 / np.sqrt((step_x**2 + step_y**2).sum(0) + SMOOTH2)
    n = height * width
    index = np.arange(n).reshape(height, width)
    laplacian = np.zeros((n, n))
    for a, b, w in ((index[:, :-1], index[:, 1:], edge[:, :-1]), (index[:-1], index[1:], edge[:-1])):
        for i, j, value in zip(a.ravel(), b.ravel(), w.ravel(), strict=True):
            laplacian[[i, j], [i, j]] += value
            laplacian[[i, j], [j, i]] -= value
    d = [np.diag(t.ravel()) for t in (xx, xy, yy)]
    matrix = np.block([[d[0] + laplacian, d[1]], [d[1], d[2] + laplacian]])
    return matrix, np.concatenate([(xx * u + xy * v - xt).ravel(), (xy * u + yy * v - yt).ravel()])


@pytest.mark.parametrize("size", SIZES)
def test_relaxation_solves_the_linearised_equations(size: tuple[int, int]) -> None:
    reference, target = texture(*size, 1), texture(*size, 2)
    rng = np.random.default_rng(3)
    flow = 2 * scipy.ndimage.gaussian_filter(rng.normal(size=(2, *size)), (0, 2, 2)) / 0.14
    flow = flow.astype(np.float32)
    matrix, right = system_of(reference, target, flow)
    expected = np.linalg.solve(matrix, right).reshape(2, *size)
    system = np.zeros((9, size[0] + 2, 2, (size[1] + 1) // 2 + 2), np.float32)
    linearise(reference, level_of(target).grey_neighbours.reshape(-1), 1.0, flow, WEIGHT, system)
    relax(system, 400)
    found = np.empty_like(flow)
    merge(system, found)
    np.testing.assert_allclose(found, expected, atol=2e-3)


def test_a_small_motion_is_found_to_a_twentieth_of_a_pixel() -> None:
    reference, target = texture(61, 83, 5), texture(61, 83, 5, shift=0.6)
    flow, refine = np.zeros((2, 61, 83), np.float32), VariationalRefinement(61, 83, 1.0, 5)
    for _ in range(10):
        refine(level_of(reference), level_of(target), 1.0, flow)
    error = np.hypot(flow[0] - 0.6, flow[1])[6:-6, 6:-6]
    assert np.percentile(error, 95) < 0.05


def test_still_frames_stay_exactly_still() -> None:
    image = level_of(texture(30, 41, 6))
    flow = np.zeros((2, 30, 41), np.float32)
    VariationalRefinement(30, 41, 1.0, 5)(image, image, 1.0, flow)
    assert not flow.any()


def test_a_motion_boundary_stays_where_it_is() -> None:
    reference = texture(61, 84, 7)
    target = np.concatenate([texture(61, 84, 7, 1.0)[:, :42], texture(61, 84, 7, -1.0)[:, 42:]], axis=1)
    flow = np.zeros((2, 61, 84), np.float32)
    flow[0] = np.where(np.arange(84) < 42, 1.0, -1.0)
    VariationalRefinement(61, 84, 1.0, 5)(level_of(reference), level_of(target), 1.0, flow)
    assert flow[0, 8:-8, 8:38].min() > 0.8
    assert flow[0, 8:-8, 46:-8].max() < -0.8
