"""The background's motion: what a plane and the parallax off it explain, against exact flow."""

from __future__ import annotations

import heapq

import numpy as np
import pytest

from streamflow.moving.dominant_plane import fit_dominant_plane, plane_flow
from streamflow.moving.evidence import filled
from streamflow.moving.parallax import find_epipole, parallax

H = np.array([[1.01, 0.004, -3.0], [-0.006, 0.99, 2.0], [2e-5, -1e-5, 1.0]])
EPIPOLE = np.array([150.0, 40.0, 1.0])


def grid(width: int = 213, height: int = 107, step: int = 4) -> np.ndarray:
    y, x = np.mgrid[:height:step, :width:step]
    return np.stack([x, y], axis=-1).reshape(-1, 2).astype(np.float32)


def test_the_plane_of_the_majority_is_found_among_moving_cells() -> None:
    positions, rng = grid(), np.random.default_rng(1)
    vectors = plane_flow(H, positions)
    moving = positions[:, 0] > 140  # a third of them, together
    vectors[moving] += np.float32([7, -4])
    vectors += rng.normal(0, 0.1, vectors.shape).astype(np.float32)
    variance = np.full(len(positions), 0.01, np.float32)
    found = fit_dominant_plane(positions, vectors, variance, np.ones_like(variance))
    error = np.abs(plane_flow(found, positions) - plane_flow(H, positions))[~moving]
    assert error.max() < 0.1  # pixels


def displaced(nearness: np.ndarray, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Targets, and their displacement off the plane: to H x + nearness (e - H x)."""
    plane = positions + plane_flow(H, positions)
    residual = nearness[:, None] * (EPIPOLE[:2] - plane)
    return (plane + residual).astype(np.float32), residual.astype(np.float32)


@pytest.mark.parametrize("start", [None, np.array([0.6, -0.7, 0.1])])
def test_the_epipole_of_a_rigid_scene_is_found_among_moving_cells(start: np.ndarray | None) -> None:
    positions, rng = grid(), np.random.default_rng(2)
    targets, residual = displaced(rng.uniform(0.02, 0.3, len(positions)), positions)
    moving = rng.random(len(positions)) < 0.25
    residual[moving] += np.float32([0, 9])
    variance = np.full(len(positions), 0.05, np.float32)
    found = find_epipole(targets, residual, variance, np.ones_like(variance), start, rng)
    assert np.abs(found[:2] / found[2] - EPIPOLE[:2]).max() < 0.5  # pixels
    off = parallax(found / found[2], targets[~moving], residual[~moving])
    assert np.abs(off.across).max() < 0.1
    assert (off.along > 0).all()  # everything is nearer than the plane


def test_there_is_no_epipole_where_nothing_leaves_the_plane() -> None:
    positions, variance = grid(), np.full(len(grid()), 0.05, np.float32)
    nothing = np.zeros_like(positions)
    rng = np.random.default_rng(0)
    assert find_epipole(positions, nothing, variance, np.ones_like(variance), None, rng) is None


def lowest_passes(values: np.ndarray) -> np.ndarray:
    """The highest value on the best way to the border, by Dijkstra's search."""
    height, width = values.shape
    border = [
        (y, x) for y in range(height) for x in range(width) if y in (0, height - 1) or x in (0, width - 1)
    ]
    level = np.full(values.shape, np.inf)
    queue = [(float(values[place]), place) for place in border]
    heapq.heapify(queue)
    while queue:
        height_here, (y, x) = heapq.heappop(queue)
        if height_here < level[y, x]:
            level[y, x] = height_here
            for v in range(max(0, y - 1), min(height, y + 2)):
                for u in range(max(0, x - 1), min(width, x + 2)):
                    heapq.heappush(queue, (max(height_here, float(values[v, u])), (v, u)))
    return level


def test_basins_are_filled_to_their_lowest_pass() -> None:
    values = np.random.default_rng(3).normal(size=(13, 17)).astype(np.float32)
    np.testing.assert_array_equal(filled(values), lowest_passes(values).astype(np.float32))
