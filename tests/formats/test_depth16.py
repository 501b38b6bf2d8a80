"""Inverse depth in 16 bits."""

from __future__ import annotations

import numpy as np
import pytest

from streamflow.formats import depth16


def test_16_bits_hold_inverse_depth_to_a_thousandth_at_40_times_the_nearest():
    inverse = np.geomspace(0.31 / 40, 0.31, 47 * 61, dtype=np.float32).reshape(47, 61)
    stored, scale = depth16.encode(inverse)
    np.testing.assert_allclose(depth16.decode(stored, scale), inverse, rtol=1e-3)


def test_16_bits_mark_the_unknown_and_only_that():
    inverse = np.array([[np.nan, -0.1, 0.0, 1e-12, 0.5]], np.float32)
    stored, scale = depth16.encode(inverse)
    assert (stored[0] == 0).tolist() == [True, True, True, False, False]
    assert np.isnan(depth16.decode(stored, scale)[0, :3]).all()


def test_16_bits_are_not_spent_on_one_wild_pixel():
    inverse = np.full((101, 167), 0.1, np.float32)
    inverse[3, 5] = 1e6
    stored, scale = depth16.encode(inverse)
    assert stored[3, 5] == 65535
    assert depth16.decode(stored, scale)[50, 50] == pytest.approx(0.1, rel=1e-3)


def test_16_bits_of_nothing_known():
    stored, scale = depth16.encode(np.full((5, 7), np.nan, np.float32))
    assert not stored.any()
    assert np.isfinite(scale)
