"""Packages that only some sources and outputs need."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from streamflow.errors import StreamflowError


@contextmanager
def extra(name: str, wanted_by: str, error: type[StreamflowError]) -> Iterator[None]:
    """Context in which a package that is not installed is an `error` that names the extra to install."""
    try:
        yield
    except ModuleNotFoundError as missing:
        raise error(
            f"{wanted_by}: needs the package {missing.name}: pip install 'streamflow[{name}]'"
        ) from missing
