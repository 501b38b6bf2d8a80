"""Inverse depth in 16 bits."""

from __future__ import annotations

import numpy as np
import pytest

from streamflow.formats import depth16
from streamflow.values import Depth


def depth_of(inverse: np.ndarray, unit: str = "steps") -> Depth:
    return Depth(inverse, inverse, np.zeros(inverse.shape, np.uint8), unit=unit)


def stored_alone(inverse: np.ndarray) -> tuple[np.ndarray, float]:
    scale = depth16.SegmentScale()(depth_of(inverse), segment=0)
    return depth16.encode(inverse, scale), scale


def test_a_wall_keeps_its_16_bits_through_a_segment_and_what_comes_near_fits():
    scale, wall = depth16.SegmentScale(), np.full((5, 7), 0.1, np.float32)
    nothing = np.full_like(wall, np.nan)
    assert np.isfinite(scale(depth_of(nothing), 0))
    first = scale(depth_of(wall), 0)
    assert depth16.encode(2.4 * wall, first).max() < depth16.LARGEST
    assert scale(depth_of(40 * wall), 0) == scale(depth_of(nothing), 0) == first
    assert scale(depth_of(40 * wall), 1) == pytest.approx(first / 40)
    assert scale(depth_of(wall / 3, "m"), 1) == pytest.approx(3 * first)
    named = depth16.SegmentScale(limits=(2.0, 50.0))
    assert {named(depth_of(k * wall), k) for k in (1, 2)} == {2.0 * depth16.LARGEST}


def test_16_bits_hold_inverse_depth_to_a_thousandth_at_40_times_the_nearest():
    inverse = np.geomspace(0.31 / 40, 0.31, 47 * 61, dtype=np.float32).reshape(47, 61)
    stored, scale = stored_alone(inverse)
    np.testing.assert_allclose(depth16.decode(stored, scale), inverse, rtol=1e-3)


def test_16_bits_mark_the_unknown_and_only_that():
    inverse = np.array([[np.nan, -0.1, 0.0, 1e-12, 0.5]], np.float32)
    stored, scale = stored_alone(inverse)
    assert (stored[0] == 0).tolist() == [True, True, True, False, False]
    assert np.isnan(depth16.decode(stored, scale)[0, :3]).all()


def test_16_bits_are_not_spent_on_one_wild_pixel():
    inverse = np.full((101, 167), 0.1, np.float32)
    inverse[3, 5] = 1e6
    stored, scale = stored_alone(inverse)
    assert stored[3, 5] == 65535
    assert depth16.decode(stored, scale)[50, 50] == pytest.approx(0.1, rel=1e-3)


def test_16_bits_of_nothing_known():
    stored, scale = stored_alone(np.full((5, 7), np.nan, np.float32))
    assert not stored.any()
    assert np.isfinite(scale)
