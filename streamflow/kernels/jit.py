"""Machine code for the inner loops: numba, with its cache where it can be written.

Compiling takes a while, once a machine. The code is kept beside the sources, or in NUMBA_CACHE_DIR, or where
neither can be written in a temporary folder of the user's own; another version of the kernels never finds it.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numba
from numba.core.cpu import CPUTargetOptions
from numba.core.options import TargetOptions

# Numba has this promise to LLVM in its compiler, for loops it makes itself; here it becomes an option.
CPUTargetOptions.noalias = TargetOptions.Mapping("noalias")


def kernel(signature: str | None = None, *, fastmath: bool | set[str] = False) -> Any:
    """Decorate a function to be compiled: at once for `signature`, else for what it is called with."""
    options: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy", "fastmath": fastmath}
    with _our_cache():
        return numba.njit(signature, **options) if signature else numba.njit(**options)


def inline_kernel(*, noalias: bool = False, fastmath: bool | set[str] = True) -> Any:
    """Decorate a function that only kernels call: it becomes part of them, by default with fast arithmetic.

    `noalias` promises that what is written through one argument is reached through no other. A loop over
    many rows becomes vector instructions only then: nothing has to be checked for overlap. A branch around
    calls, or a choice between arrays, belongs in the kernel: in here it costs counting references each row.
    """
    inner = {"forceinline": True, "no_cpython_wrapper": True, "no_cfunc_wrapper": True, "noalias": noalias}
    options: dict[str, Any] = {"error_model": "numpy", "fastmath": fastmath, **inner}
    return numba.njit(**options)


@contextmanager
def _our_cache() -> Iterator[None]:
    """Have numba keep what is decorated here in our folder, and nobody else's kernels."""
    config: Any = numba.config
    before = config.CACHE_DIR
    config.CACHE_DIR = str(CACHE)
    yield
    config.CACHE_DIR = before


def _cache() -> Path:
    """Return the folder for machine code; numba itself does not see that a kernel calls one that changed."""
    package = Path(__file__).parents[1]
    asked = os.environ.get("NUMBA_CACHE_DIR")
    base = Path(asked) if asked else package / "__pycache__"
    return (base if _is_writable(base) else _temporary_folder()) / f"kernels-{_fingerprint(package)}"


def _fingerprint(package: Path) -> str:
    """Digest of every file that holds kernels, and of the constants and formulas they freeze."""
    digest = hashlib.sha256((package / "values.py").read_bytes())
    digest.update((package / "geometry" / "rotation.py").read_bytes())
    for path in sorted(package.rglob("*.py")):
        text = path.read_bytes()
        if b"streamflow.kernels.jit import" in text:
            digest.update(text)
    return digest.hexdigest()[:12]


def _is_writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _temporary_folder() -> Path:
    """Return this user's own folder for machine code; a fresh one where somebody else holds the name."""
    user = os.getuid() if hasattr(os, "getuid") else "cache"
    folder = Path(tempfile.gettempdir()) / f"streamflow-numba-{user}"
    folder.mkdir(mode=0o700, exist_ok=True)
    owned = not hasattr(os, "getuid") or (folder.stat().st_uid == os.getuid() and not folder.is_symlink())
    return folder if owned and _is_writable(folder) else Path(tempfile.mkdtemp(prefix="streamflow-numba-"))


CACHE = _cache()
