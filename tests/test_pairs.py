"""The sliding two-frame buffer."""

import itertools
from collections.abc import Iterator

import numpy as np
import pytest

from streamflow.pairs import frame_pairs
from streamflow.values import Frame


def frame(index: int, size: tuple[int, int] = (4, 3), gap: str | None = None, damaged: bool = False) -> Frame:
    """A picture like no other."""
    return Frame(index, np.full((*size[::-1], 3), 20 * index % 251, np.uint8), gap=gap, damaged=damaged)


def indices(frames: list[Frame], reference: str = "newest") -> list[tuple[int, int, str | None]]:
    pairs = frame_pairs(frames, reference)
    return [(pair.reference.index, pair.target.index, pair.starts_segment) for pair in pairs]


def test_each_frame_is_paired_with_the_one_before() -> None:
    frames = [frame(i) for i in range(4)]
    assert indices(frames) == [(1, 0, "start"), (2, 1, None), (3, 2, None)]
    assert indices(frames, "previous") == [(0, 1, "start"), (1, 2, None), (2, 3, None)]


def test_nothing_or_one_frame_makes_no_pair() -> None:
    assert indices([]) == indices([frame(0)]) == []


def test_a_gap_or_another_size_begins_a_segment_with_its_reason() -> None:
    gapped = [frame(0), frame(1), frame(2, gap="reconnected"), frame(3), frame(4)]
    assert indices(gapped) == [(1, 0, "start"), (3, 2, "reconnected"), (4, 3, None)]
    resized = [frame(0), frame(1, (5, 3)), frame(2, (5, 3))]
    assert indices(resized) == [(2, 1, "size changes from 4x3 to 5x3")]


@pytest.mark.parametrize("reference", ["newest", "previous"])
def test_a_damaged_frame_marks_its_pairs_and_the_whole_ones_after_it_begin_a_segment(reference: str) -> None:
    frames = [frame(i, damaged=i in (2, 3)) for i in range(7)]
    pairs = list(frame_pairs(frames, reference))
    assert [pair.damaged for pair in pairs] == [False, True, True, True, False, False]
    assert [pair.starts_segment for pair in pairs] == ["start", None, None, None, "after damage", None]


def test_a_pair_is_yielded_before_the_next_frame_is_read() -> None:
    read = []

    def endless() -> Iterator[Frame]:
        for index in itertools.count():
            read.append(index)
            yield frame(index)

    next(frame_pairs(endless()))
    assert read == [0, 1]
