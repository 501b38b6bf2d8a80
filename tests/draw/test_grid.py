"""Grids: rows of one width, nothing black between them."""

import numpy as np
import pytest

from streamflow.draw.grid import tile


def pictures(count: int, size: tuple[int, int] = (90, 160)) -> list[np.ndarray]:
    return [np.full((*size, 3), 20 * (i + 1), np.uint8) for i in range(count)]


@pytest.mark.parametrize("count", range(1, 11))
@pytest.mark.parametrize("size", [(90, 160), (47, 61), (161, 90)])
def test_a_grid_shows_every_picture_and_nothing_else(count: int, size: tuple[int, int]) -> None:
    grid = tile(pictures(count, size))
    assert np.unique(grid).tolist() == [20 * (i + 1) for i in range(count)]
    assert 0.55 < grid.shape[1] / grid.shape[0] < 4  # neither a tower nor a ribbon


def test_two_lie_beside_each_other_and_three_are_one_over_two() -> None:
    assert tile(pictures(2)).shape == (90, 320, 3)
    three = tile(pictures(3))
    assert three.shape == (270, 320, 3)
    assert (three[:180] == 20).all()
    assert (three[180:, :160] == 40).all()
    assert (three[180:, 160:] == 60).all()


def test_one_picture_is_left_as_it_is() -> None:
    (picture,) = pictures(1, (1080, 3840))
    assert tile([picture]) is picture


def test_pictures_of_other_shapes_share_a_row_in_proportion() -> None:
    wide, narrow = np.full((50, 300, 3), 1, np.uint8), np.full((50, 100, 3), 2, np.uint8)
    grid = tile([wide, narrow], rows=1)
    assert grid.shape == (50, 400, 3)
    assert (grid[0, :, 0] == 1).sum() == 300


def test_a_grid_is_no_wider_than_a_screen_unless_a_picture_is() -> None:
    assert tile(pictures(2, (720, 1280))).shape == (540, 1920, 3)
    assert tile(pictures(2, (1080, 2560))).shape[1] == 2560
