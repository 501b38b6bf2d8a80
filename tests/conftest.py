from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    """Whatever a test opens it closes, and closing ends the thread."""
    yield
    assert [t.name for t in threading.enumerate() if t.name.startswith("reader of")] == []
