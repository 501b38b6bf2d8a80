"""Work in two halves: the second half of one item in a thread, beside the first half of the next."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Half = TypeVar("Half")
Done = TypeVar("Done")


def overlapped(
    items: Iterable[Item],
    first: Callable[[Item], Half],
    second: Callable[[Half], Done],
    waits: Callable[[], bool],
) -> Generator[Done, None, None]:
    """Yield second(first(item)) of every item, in order.

    Items are taken, and `first` runs, in the thread that iterates. Where the next item has to be waited for,
    which `waits` tells, what is under way is yielded before; else one item is taken ahead. The first error in
    the order of the items is raised, after all that comes before it was yielded. The thread has ended when
    the iterator has, or is closed.
    """
    with ThreadPoolExecutor(1, "second half") as thread:
        under_way: Future[Done] | None = None
        try:
            for item in items:
                half = first(item)
                if under_way is not None:
                    yield under_way.result()
                under_way = thread.submit(second, half)
                if waits():
                    yield under_way.result()
                    under_way = None
        except Exception:
            if under_way is not None:
                yield under_way.result()
            raise
        if under_way is not None:
            yield under_way.result()
