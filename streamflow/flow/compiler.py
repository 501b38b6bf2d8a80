"""Compiling the numba kernels: when, where the machine code is kept, and telling the user that it takes a moment."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

Announce = Callable[[str], None]

_OPTIONS = {"cache": True, "nogil": True, "fastmath": True, "error_model": "numpy"}
_kernels: list[tuple[Any, str]] = []


def _is_writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _choose_cache() -> None:
    """Send numba's cache to a temporary folder where neither NUMBA_CACHE_DIR nor the package can be written."""
    asked = os.environ.get("NUMBA_CACHE_DIR")
    if not _is_writable(Path(asked) if asked else Path(__file__).parent / "__pycache__"):
        from numba import config

        config.CACHE_DIR = str(_temporary_cache())


def _temporary_cache() -> Path:
    """Return this user's own folder for machine code; a fresh one where somebody else holds the name."""
    folder = (
        Path(tempfile.gettempdir()) / f"streamflow-numba-{os.getuid() if hasattr(os, 'getuid') else 'cache'}"
    )
    folder.mkdir(mode=0o700, exist_ok=True)
    owned = not hasattr(os, "getuid") or (folder.stat().st_uid == os.getuid() and not folder.is_symlink())
    return folder if owned and _is_writable(folder) else Path(tempfile.mkdtemp(prefix="streamflow-numba-"))


def kernel(signature: str) -> Callable[[Callable[..., None]], Any]:
    """Register a function as a numba kernel with one signature, compiled by `compile_kernels`."""
    from numba import njit

    def register(function: Callable[..., None]) -> Any:
        dispatcher = njit(**_OPTIONS)(function)
        _kernels.append((dispatcher, signature))
        return dispatcher

    return register


def inlined(function: Callable[..., Any]) -> Any:
    """Mark a function as a part of kernels: compiled with them."""
    from numba import njit

    return njit(**_OPTIONS)(function)


def compile_kernels(announce: Announce | None = None) -> None:
    """Load every kernel from the cache, or compile it.

    Parameters
    ----------
    announce : callable, optional
        Called with one line, once, before the first kernel that has to be compiled: about ten seconds in all.
        Not called when the machine code is at hand.
    """
    _choose_cache()
    from numba.core import event

    from streamflow.flow import coarse_to_fine  # noqa: F401  its import registers the kernels

    class AnnounceOnce(event.Listener):
        told = announce is None

        def on_start(self, event: Any) -> None:
            if not self.told and announce is not None:
                announce("compiling the flow kernels (once, about ten seconds)")
            self.told = True

        def on_end(self, event: Any) -> None:
            pass

    with event.install_listener("numba:compile", AnnounceOnce()):
        for dispatcher, signature in _kernels:
            dispatcher.compile(signature)
