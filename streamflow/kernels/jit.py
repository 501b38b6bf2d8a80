"""Machine code for the inner loops: numba, with its cache where it can be written.

Compiling takes a while, once a machine. The code is kept beside the sources, or in NUMBA_CACHE_DIR, or where
neither can be written in the user's cache folder; another version of the kernels never finds it. Numba itself
is left as the host program has it: its own kernels are cached where it says.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numba

deferred = (
    False  # whether kernels with a signature wait in `PENDING`: a process that compiles some of them only
)
PENDING: dict[str, Callable[[], None]] = {}
IMPORT = re.compile(r"^from streamflow\.([\w.]+) import (\w+)", re.MULTILINE)


def kernel(signature: str | None = None, *, fastmath: bool | set[str] = False) -> Any:
    """Decorate a function to be compiled: at once for `signature`, else for what it is called with."""
    options: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy", "fastmath": fastmath}

    def decorated(function: Any) -> Any:
        with _our_cache():
            dispatcher = numba.njit(**options)(function)
        if signature is not None and deferred:
            PENDING[f"{function.__module__}.{function.__name__}"] = partial(_compile, dispatcher, signature)
        elif signature is not None:
            _compile(dispatcher, signature)
        return dispatcher

    return decorated


def _compile(dispatcher: Any, signature: str) -> None:
    """Have machine code for one signature, and no other."""
    dispatcher.compile(signature)
    dispatcher.disable_compile()


def inline_kernel(*, noalias: bool = False, fastmath: bool | set[str] = True) -> Any:
    """Decorate a function that only kernels call: it becomes part of them, by default with fast arithmetic.

    `noalias` promises that what is written through one argument is reached through no other. A loop over
    many rows becomes vector instructions only then: nothing has to be checked for overlap. A branch around
    calls, or a choice between arrays, belongs in the kernel: in here it costs counting references each row.
    """
    inner: dict[str, Any] = {"forceinline": True, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    decorate = numba.njit(error_model="numpy", fastmath=fastmath, **inner)

    def decorated(function: Any) -> Any:
        dispatcher = decorate(function)
        if noalias:
            dispatcher._compiler._customize_flags = _promise_no_alias
        return dispatcher

    return decorated


def _promise_no_alias(flags: Any) -> Any:
    """Set what numba's compiler has as a flag, for loops it makes itself, but not as an option."""
    flags.noalias = True
    return flags


@contextmanager
def _our_cache() -> Iterator[None]:
    """Have numba keep what is decorated here in our folder, and nobody else's kernels."""
    config: Any = numba.config
    before = config.CACHE_DIR
    config.CACHE_DIR = str(CACHE)
    try:
        yield
    finally:
        config.CACHE_DIR = before


def _cache() -> Path:
    """Return the folder for machine code; numba itself does not see that a kernel calls one that changed."""
    package = Path(__file__).parents[1]
    asked = os.environ.get("NUMBA_CACHE_DIR")
    bases = [Path(asked) if asked else package / "__pycache__", user_cache_folder() / "streamflow"]
    writable = next((base for base in bases if _is_writable(base)), None)
    return (writable or Path(tempfile.mkdtemp(prefix="streamflow-"))) / f"kernels-{_fingerprint(package)}"


def _fingerprint(package: Path) -> str:
    """Digest of every file that holds kernels, and of those whose constants and formulas they freeze."""
    digest = hashlib.sha256()
    for path in sorted(_files_of_kernels(package)):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _files_of_kernels(package: Path) -> set[Path]:
    """Return the files that import this one, and all that these import of the package."""
    texts = {path: path.read_text(encoding="utf-8") for path in package.rglob("*.py")}
    waiting = [path for path, text in texts.items() if "streamflow.kernels.jit import" in text]
    found: set[Path] = set()
    while waiting:
        if (path := waiting.pop()) in texts and path not in found:
            found.add(path)
            for module, name in IMPORT.findall(texts[path]):
                folder = package.joinpath(*module.split("."))
                waiting += [folder.with_suffix(".py"), folder / f"{name}.py"]
    return found


def _is_writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def user_cache_folder() -> Path:
    """Return the user's folder for what can be made again, as the platform has it."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


CACHE = _cache()
