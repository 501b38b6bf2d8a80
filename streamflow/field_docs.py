"""Documentation of a value's fields: the comment that stands beside each, shown by `help` as well."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import is_dataclass
from typing import Any

FIELD = re.compile(r"^    (\w+): (.+?)(?: = .+?)?  # (.+)$", re.MULTILINE)


class FieldDocs:
    """A class's docstring, followed by its fields; the source is read when somebody asks."""

    def __init__(self, summary: str | None) -> None:
        self._summary = summary or ""

    def __get__(self, instance: object, owner: type) -> str:
        try:
            fields = FIELD.findall(inspect.getsource(owner))
        except OSError:  # no source is installed
            return self._summary
        lines = [f"{name} : {kind}\n    {meaning}" for name, kind, meaning in fields]
        return "\n".join([self._summary, "", "Attributes", "----------", *lines]) if lines else self._summary


def tell_fields(module: Mapping[str, Any]) -> None:
    """Let `help` show the fields of every dataclass that a module, given as its `vars()`, defines."""
    for value in list(module.values()):
        if is_dataclass(value) and value.__module__ == module["__name__"]:
            setattr(value, "__doc__", FieldDocs(value.__doc__))  # noqa: B010
