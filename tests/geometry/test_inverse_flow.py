import numpy as np
import pytest

from streamflow.geometry.inverse_flow import inverted

SHAPE = (101, 167)


def grid():
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]].astype(np.float64)
    return np.dstack([x, y])


@pytest.mark.parametrize("angle", [0.0, 4.0])  # degrees
@pytest.mark.parametrize("scale", [0.9, 1.0, 1.12])
def test_of_a_similarity_it_is_the_inverse_similarity(scale: float, angle: float) -> None:
    turn = np.radians(angle)
    linear = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    shift, centre = np.array([3.25, -6.5]), np.array([80.0, 40.0])
    there = (grid() - centre) @ linear.T + centre + shift
    back = (grid() - shift - centre) @ np.linalg.inv(linear).T + centre
    found = inverted((there - grid()).astype(np.float32))
    known = np.isfinite(found).all(axis=-1)
    inside = ((back >= 0) & (back <= np.array(SHAPE[::-1]) - 1)).all(axis=-1)
    assert known[inside].all()
    assert not known[~((back > -0.7) & (back < np.array(SHAPE[::-1]) - 0.3)).all(axis=-1)].any()
    np.testing.assert_allclose(found[inside], (back - grid())[inside], atol=0.02)


def test_where_nothing_leads_it_is_unknown() -> None:
    vectors = np.zeros((*SHAPE, 2), np.float32)
    vectors[20:40, 30:60] = np.nan
    known = np.isfinite(inverted(vectors)).all(axis=-1)
    assert not known[21:39, 31:59].any()
    known[19:41, 29:61] = True
    assert known.all()
