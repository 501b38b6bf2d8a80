"""A part of the pictures: exactly those pixels, and a camera matrix that follows."""

from __future__ import annotations

from contextlib import closing

import numpy as np
import pytest

from sources import open_source
from streamflow.errors import UsageError
from streamflow.geometry.camera import camera_for
from streamflow.options import Options
from streamflow.values import Frame, SourceInfo

DEMO = "demo:oblique,size=97x61,frames=2"


def opened(**options: object) -> tuple[list[Frame], SourceInfo]:
    with closing(open_source(DEMO, **options)) as source:
        return list(source), source.info


def test_a_crop_holds_exactly_its_pixels_and_moves_the_principal_point() -> None:
    whole, info = opened()
    part, cropped = opened(crop=(11, 7, 64, 40))
    for one, other in zip(part, whole, strict=True):
        np.testing.assert_array_equal(one.image, other.image[7:47, 11:75])
    assert cropped.size == (64, 40)
    K, moved = (camera_for(Options(), of, of.size).matrix for of in (info, cropped))
    np.testing.assert_allclose(moved, np.array([[1, 0, -11], [0, 1, -7], [0, 0, 1]]) @ K)


def test_a_field_of_view_is_that_of_the_whole_picture() -> None:
    _, cropped = opened(crop=(0, 0, 50, 61))
    matrix = camera_for(Options(fov=90), cropped, cropped.size).matrix
    assert matrix[0, 0] == pytest.approx(97 / 2)
    assert matrix[0, 2] == pytest.approx(48)


def test_pictures_are_turned_then_cropped_then_scaled() -> None:
    whole, _ = opened()
    part, info = opened(rotate=90, crop=(3, 5, 40, 60), size=(20, None))
    turned = np.rot90(whole[0].image, -1)[5:65, 3:43]
    assert info.size == (20, 30)
    np.testing.assert_allclose(part[0].image, turned.reshape(30, 2, 20, 2, 3).mean(axis=(1, 3)), atol=0.51)


@pytest.mark.parametrize("crop", [(60, 0, 64, 40), (-1, 0, 40, 40), (0, 0, 40, 0)])
def test_a_crop_outside_the_picture_is_one_line(crop: tuple[int, int, int, int]) -> None:
    with pytest.raises(UsageError, match=r"is not a part of the 97x61 pictures"):
        opened(crop=crop)
