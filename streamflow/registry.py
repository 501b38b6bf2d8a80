"""A registry of adapters: one line each, loaded only when asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import Any

from streamflow.errors import UsageError


@dataclass(frozen=True)
class Entry:
    """One adapter: where it lives, how a user spells it, and which specs are its own."""

    target: str  # "package.module:Class", imported on first use
    form: str  # as shown in the help, such as "png:DIR"
    help: str
    matches: Callable[[str], bool]

    def load(self) -> Any:
        """Import the adapter and return its class."""
        return resolve_name(self.target)


@dataclass(frozen=True)
class Registry:
    """Named adapters of one kind ("source", "sink"), tried in the order they are listed."""

    kind: str
    entries: Mapping[str, Entry]

    def find(self, spec: str) -> Entry:
        """Return the first entry whose form `spec` has."""
        for entry in self.entries.values():
            if entry.matches(spec):
                return entry
        forms = ", ".join(entry.form for entry in self.entries.values())
        raise UsageError(f"{spec}: no such {self.kind}; there are: {forms}")

    def describe(self) -> list[tuple[str, str]]:
        """(form, help) of every entry, for the help text."""
        return [(entry.form, entry.help) for entry in self.entries.values()]
