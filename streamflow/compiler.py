"""Machine code for the inner loops: numba, with its cache where it can be written.

Compiling takes some seconds, once a machine: numba keeps the code beside the sources, or in NUMBA_CACHE_DIR, or
where neither can be written in a temporary folder of the user's own.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba


def kernel(
    function: Callable[..., Any] | None = None, *, signature: str | None = None, fastmath: bool = False
) -> Any:
    """Compile a function: at once for the given signature, else when it is first called."""
    options: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy", "fastmath": fastmath}
    compiled = numba.njit(signature, **options) if signature else numba.njit(**options)
    return compiled if function is None else compiled(function)


def _choose_cache() -> None:
    """Send numba's cache to a temporary folder where neither the asked-for nor the usual one can be written."""
    asked = os.environ.get("NUMBA_CACHE_DIR")
    if not _is_writable(Path(asked) if asked else Path(__file__).parent / "__pycache__"):
        numba.config.CACHE_DIR = str(_temporary_cache())  # type: ignore[attr-defined]


def _is_writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _temporary_cache() -> Path:
    """Return this user's own folder for machine code; a fresh one where somebody else holds the name."""
    user = os.getuid() if hasattr(os, "getuid") else "cache"
    folder = Path(tempfile.gettempdir()) / f"streamflow-numba-{user}"
    folder.mkdir(mode=0o700, exist_ok=True)
    owned = not hasattr(os, "getuid") or (folder.stat().st_uid == os.getuid() and not folder.is_symlink())
    return folder if owned and _is_writable(folder) else Path(tempfile.mkdtemp(prefix="streamflow-numba-"))


_choose_cache()
