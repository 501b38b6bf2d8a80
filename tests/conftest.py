from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of every file that starts processes: `pytest -m "not process"` is the short loop."""
    for item in items:
        if isinstance(item, pytest.Function) and hasattr(item.module, "subprocess"):
            item.add_marker(pytest.mark.process)


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    """Whatever a test opens it closes, and closing ends the thread."""
    yield
    assert [t.name for t in threading.enumerate() if t.name.startswith("reader of")] == []
