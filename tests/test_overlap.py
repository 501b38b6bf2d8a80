"""Two halves of the work side by side: order, errors, nothing taken ahead that must be waited for."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from streamflow.options import Options
from streamflow.overlap import overlapped
from streamflow.pipeline import results
from streamflow.stages import Stage
from streamflow.values import Frame, Health
from tests.support.clips import picture

PATIENCE = 60.0  # seconds


@pytest.fixture(autouse=True)
def no_second_thread_is_left() -> Iterator[None]:
    yield
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("second half")] == []


def never() -> bool:
    return False


def plus_one(item: int) -> int:
    return item + 1


def test_every_item_passes_both_halves_in_order():
    assert list(overlapped(range(50), str, "<{}>".format, never)) == [f"<{i}>" for i in range(50)]
    assert list(overlapped([], str, str, never)) == []


def test_the_second_half_runs_beside_the_first_of_the_next_and_of_no_other():
    met = threading.Barrier(2, timeout=PATIENCE)
    begun: list[int] = []

    def first(item: int) -> int:
        begun.append(item)
        if item > 0:
            met.wait()
        return item

    def second(item: int) -> list[int]:
        if item < 3:
            met.wait()
        return [*begun]

    seen = list(overlapped(range(4), first, second, never))
    assert seen == [[0, 1], [0, 1, 2], [0, 1, 2, 3], [0, 1, 2, 3]]


def test_what_is_under_way_comes_before_an_item_that_has_to_be_waited_for():
    taken: list[int] = []

    def items() -> Iterator[int]:
        for i in range(4):
            taken.append(i)
            yield i

    found = overlapped(items(), plus_one, plus_one, lambda: True)
    assert [(result, len(taken)) for result in found] == [(2, 1), (3, 2), (4, 3), (5, 4)]


def failing(at: int, message: str):
    def half(item: int) -> int:
        if item == at:
            raise ValueError(message)
        return item

    return half


@pytest.mark.parametrize(
    ("first", "second", "message", "before"),
    [
        (failing(3, "first"), int, "first", [0, 1, 2]),
        (int, failing(3, "second"), "second", [0, 1, 2]),
        (failing(4, "first"), failing(3, "second"), "second", [0, 1, 2]),
    ],
)
def test_the_first_error_in_the_order_of_the_items_is_raised(first, second, message, before):
    found = overlapped(range(9), first, second, never)
    assert [next(found) for _ in before] == before
    with pytest.raises(ValueError, match=message):
        next(found)


def test_an_error_of_the_source_comes_after_what_was_taken_from_it():
    def items() -> Iterator[int]:
        yield from range(3)
        raise OSError("gone")

    found = overlapped(items(), int, int, never)
    assert [next(found) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(OSError, match="gone"):
        next(found)


def test_closing_early_waits_for_what_is_under_way_and_begins_nothing_more():
    done: list[int] = []
    found = overlapped(range(9), int, done.append, never)
    next(found)
    found.close()
    assert done in ([0], [0, 1])


@pytest.mark.parametrize(("threads", "late", "ahead"), [(1, False, 0), (2, False, 1), (2, True, 0)])
def test_a_frame_is_taken_ahead_unless_it_has_to_be_waited_for(threads: int, late: bool, ahead: int):
    taken: list[int] = []

    def frames() -> Iterator[Frame]:
        for i in range(5):
            taken.append(i)
            yield Frame(i, picture(i, (64, 48)))

    plain = Options(flow="plain")
    found = results(frames(), {Stage.FLOW}, plain, health=Health(next_is_late=late), threads=threads)
    assert [(result.pair.newest.index, len(taken)) for result in found] == [
        (i, min(i + 1 + ahead, 5)) for i in range(1, 5)
    ]
