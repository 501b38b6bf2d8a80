"""The coarse grid: means of what is known in full."""

from __future__ import annotations

import numpy as np
import pytest

from streamflow.moving.cells import cells_of
from streamflow.values import Flow, Frame

HEIGHT, WIDTH = 321, 427  # no multiple of the cells' side
SLOPE = np.array([0.2, -0.4])  # grey levels a pixel


def test_a_linear_picture_with_linear_flow_has_the_values_of_its_centres() -> None:
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    grey = np.round(150 + SLOPE[0] * x + SLOPE[1] * y).astype(np.uint8)
    flow = np.stack([0.02 * x - 1, 0.5 - 0.01 * y], axis=-1)
    excluded = np.zeros((HEIGHT, WIDTH), np.bool_)
    excluded[100, 200] = True
    sigma = np.full((HEIGHT, WIDTH), 0.4, np.float32)
    frame = Frame(0, np.repeat(grey[..., None], 3, axis=2))
    cells = cells_of(frame, Flow(flow, sigma, sigma, excluded=excluded))
    assert cells.shape == (HEIGHT // cells.side, WIDTH // cells.side)
    column, row = np.moveaxis(cells.positions, -1, 0)
    assert (column[0, 0], row[0, 0]) == ((cells.side - 1) / 2, (cells.side - 1) / 2)
    expected = np.stack([0.02 * column - 1, 0.5 - 0.01 * row], axis=-1)
    np.testing.assert_allclose(cells.vectors, expected, atol=1e-5)
    np.testing.assert_allclose(cells.variance, 0.4**2 + 0.3**2, rtol=1e-5)
    hidden = 100 // cells.side, 200 // cells.side
    assert not cells.tensor[hidden].any()
    inner = np.delete(cells.tensor[2:-2, 2:-2].reshape(-1, 3), 0, axis=0)
    known = inner[inner.any(axis=1)]
    assert len(known) >= len(inner) - 1
    assert known.mean(axis=0)[1] == pytest.approx(SLOPE[0] * SLOPE[1], rel=0.1)
