"""From evidence to regions: averages and labels that stop at edges, colours, and identities."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from streamflow.moving.appearance import Appearance
from streamflow.moving.edge_aware import EdgeAwareFilter
from streamflow.moving.evidence import Evidence
from streamflow.moving.labelling import mean_field
from streamflow.moving.objects import CONFIRMATIONS, ObjectTracker

SHAPE = 41, 57
EDGE = 23  # column where the colour changes


def halves() -> np.ndarray:
    """Dark left of the edge, bright right of it."""
    colour = np.full((*SHAPE, 3), 20, np.float32)
    colour[:, EDGE:] = 70
    return colour


def test_an_average_stops_at_the_edge_and_keeps_what_is_even() -> None:
    smooth = EdgeAwareFilter(halves(), 10, 3)
    ones = np.ones(SHAPE, np.float32)
    values = ones.copy()
    values[:, EDGE:] = 5
    sums, weight = smooth(values, ones)
    np.testing.assert_allclose(sums / weight, values, rtol=1e-3)
    np.testing.assert_allclose(weight, 1, rtol=1e-5)


def test_one_known_cell_tells_for_its_whole_surface() -> None:
    weight = np.zeros(SHAPE, np.float32)
    weight[20, 5] = 1
    sums, total = EdgeAwareFilter(halves(), 10, 3)(np.full(SHAPE, 4, np.float32), weight)
    assert total[20, EDGE - 1] > 1e3 * total[20, EDGE]
    np.testing.assert_allclose(sums[:, :EDGE] / total[:, :EDGE], 4, rtol=1e-3)


def test_labels_follow_the_edge_and_drop_specks() -> None:
    unary = np.full(SHAPE, -1, np.float32)
    unary[:, EDGE - 2 :] = 1  # the evidence spills over the edge by two columns
    unary[:, EDGE - 2 : EDGE] = 0.2
    unary[10, 5] = 3  # a speck
    mean = mean_field(unary, halves(), 5.0)
    assert (mean[:, EDGE:] > 0).all()
    assert (mean[:, :EDGE] < 0).all()


def test_colours_tell_the_object_from_what_is_around_it() -> None:
    colour = halves()
    colour[10:30, 5:20] = 45, 60, 60
    moving = np.zeros(SHAPE, np.bool_)
    moving[9:31, 4:21] = True  # a cell too large on every side
    looks = Appearance()
    assert not looks.log_ratio(colour).any()
    looks.learn(colour, moving)
    ratio = looks.log_ratio(colour)
    assert (ratio[10:30, 5:20] > 2).all()
    assert (ratio[9, 4:21] < -2).all()


def seen(mask: np.ndarray, log_odds: float = 6.0) -> Evidence:
    odds = np.where(mask, np.float32(log_odds), np.float32(-2))
    return Evidence(odds, np.ones(SHAPE, np.float32), np.zeros((*SHAPE, 2), np.float32))


def square(x: int) -> np.ndarray:
    mask = np.zeros(SHAPE, np.bool_)
    mask[10:18, x : x + 9] = True
    return mask


def test_an_object_is_confirmed_and_keeps_its_label_as_it_moves() -> None:
    tracker = ObjectTracker()
    labels = np.zeros(SHAPE, np.int32)
    for index in range(CONFIRMATIONS + 2):
        mask = square(5 + 2 * index)
        labels, tracks = tracker(mask, labels, seen(mask), Fraction(index))
        assert np.array_equal(labels == 1, mask)
        assert [track.label for track in tracks] == ([1] if index + 1 >= CONFIRMATIONS else [])
    assert tracks[0].since == 0


def test_two_objects_have_two_labels_and_a_region_without_evidence_none() -> None:
    tracker = ObjectTracker()
    both = square(3) | square(40)
    labels, _ = tracker(both, np.zeros(SHAPE, np.int32), seen(square(3)), None)
    assert np.array_equal(labels > 0, square(3))
    labels, _ = tracker(both, labels, seen(both), None)
    assert len(np.unique(labels[square(3)])) == len(np.unique(labels[square(40)])) == 1
    assert labels[12, 5] == 1
    assert labels[12, 42] > 1


def test_an_object_in_two_parts_is_one_and_ends_when_the_evidence_turns() -> None:
    tracker = ObjectTracker()
    whole = square(3)
    labels, _ = tracker(whole, np.zeros(SHAPE, np.int32), seen(whole), None)
    parted = whole.copy()
    parted[:, 7] = False
    labels, _ = tracker(parted, labels, seen(parted), None)
    assert np.array_equal(labels == 1, parted)
    for _ in range(12):
        labels, _ = tracker(whole, np.where(whole, 1, 0).astype(np.int32), seen(whole, -4), None)
    assert not labels.any()
