"""Waiting for what another thread or process does: on a busy machine nobody can say how long that takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    """Wait until `condition` holds; fail when it never does."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


def asleep(process: int) -> bool:
    """Whether all threads of a process wait, and not for a processor, as often as one looks."""
    tasks = Path(f"/proc/{process}/task")
    states = {
        (task / "stat").read_text().rpartition(")")[2].split()[0]
        for _ in range(20)
        for task in tasks.iterdir()
    }
    return states == {"S"}


def wakings(process: int) -> int:
    """How often its main thread has begun to wait; grows when a signal wakes it and it waits again."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("\nvoluntary_ctxt_switches:")[2].split()[0])
