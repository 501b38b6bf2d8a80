"""Tells the user, in one line, when a run has to wait for the compiler."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console


@contextmanager
def announced(console: Console) -> Iterator[None]:
    """Context in which the first compilation prints a line; machine code from the cache does not."""
    from numba.core import event

    class AnnounceOnce(event.Listener):
        told = False

        def on_start(self, event: Any) -> None:
            if not self.told:
                console.print("compiling for this machine (once, about half a minute) ...", highlight=False)
            self.told = True

        def on_end(self, event: Any) -> None:
            pass

    with event.install_listener("numba:compile", AnnounceOnce()):
        yield
