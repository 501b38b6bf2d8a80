"""Scores of moving objects on masks drawn by hand."""

import numpy as np
import pytest

from streamflow.evaluation.object_scores import ObjectScores
from streamflow.values import MovingObject

SHAPE = (31, 47)


def block(x: int, y: int, width: int, height: int) -> np.ndarray:
    mask = np.zeros(SHAPE, bool)
    mask[y : y + height, x : x + width] = True
    return mask


def found(mask: np.ndarray, label: int = 1) -> MovingObject:
    return MovingObject(label, mask, np.zeros(2), 0.9)


def scored(*frames: tuple[tuple[MovingObject, ...], np.ndarray], ignored: np.ndarray | None = None) -> dict:
    scores = ObjectScores()
    for objects, labels in frames:
        scores.add(objects, labels.astype(np.uint8), ignored)
    return scores.summary()


def test_the_truth_itself_is_perfect() -> None:
    truth = block(5, 7, 10, 8)
    record = scored(*[((found(truth, 4),), truth)] * 3)
    assert record == {
        "objects_per_frame": 1, "moving_iou": 1, "moving_recall": 1, "moving_precision": 1,
        "identity_changes": 0,
    }  # fmt: skip


def test_two_parts_of_an_object_count_together_and_what_lies_elsewhere_does_not() -> None:
    truth = block(10, 5, 20, 10)
    left, right, elsewhere = block(10, 5, 8, 10), block(24, 5, 8, 10), block(0, 20, 10, 10)
    record = scored(((found(left, 1), found(right, 2), found(elsewhere, 3)), truth))
    assert record["objects_per_frame"] == 3
    assert record["moving_iou"] == pytest.approx((80 + 60) / (200 + 20))
    assert record["moving_recall"] == pytest.approx(140 / 200)
    assert record["moving_precision"] == pytest.approx(140 / (80 + 80 + 100))


def test_an_object_half_beside_the_truth_does_not_count_as_found() -> None:
    record = scored(((found(block(0, 5, 20, 10)),), block(10, 5, 20, 10)))
    assert record["moving_iou"] == 0


def test_what_is_ignored_is_neither_missed_nor_false() -> None:
    truth, beside = block(10, 5, 20, 10), block(30, 5, 10, 10)
    record = scored(((found(truth | beside),), truth), ignored=beside)
    assert record["moving_iou"] == record["moving_precision"] == 1


def test_a_frame_where_nothing_moves_has_no_similarity_but_its_false_objects_count() -> None:
    truth, nothing = block(5, 7, 10, 8), block(0, 0, 0, 0)
    record = scored(((found(truth),), truth), ((found(truth),), nothing))
    assert record["moving_iou"] == 1
    assert record["moving_precision"] == pytest.approx(0.5)


def test_an_identity_changes_when_another_object_takes_over_even_after_a_gap() -> None:
    truth = block(5, 7, 10, 8)
    seen = [((found(truth, label),), truth) for label in (1, 1, 2)]
    assert scored(*seen, ((), truth), ((found(truth, 3),), truth))["identity_changes"] == 2


def test_each_of_two_annotated_objects_has_its_own_identity() -> None:
    one, two = block(2, 2, 8, 8), block(25, 15, 9, 9)
    labels = one + 2 * two.astype(np.uint8)
    same = (found(one, 7), found(two, 9))
    swapped = (found(one, 9), found(two, 7))
    assert scored((same, labels), (same, labels))["identity_changes"] == 0
    assert scored((same, labels), (swapped, labels))["identity_changes"] == 2


def test_without_masks_the_objects_are_only_counted() -> None:
    scores = ObjectScores()
    scores.add((found(block(1, 1, 4, 4)),), None, None)
    scores.add((), None, None)
    assert scores.summary() == {"objects_per_frame": 0.5}
