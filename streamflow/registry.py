"""A registry of adapters: one line each, loaded only when asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
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
    keeps: bool = True  # an output: what it was given stays when the run has ended

    def load(self) -> Any:
        """Import the adapter and return its class."""
        return resolve_name(self.target)


@dataclass(frozen=True)
class Registry:
    """Named adapters of one kind ("source", "output"), tried in the order they are listed.

    Other packages add theirs as entry points of the group: `NAME = "module:Class"` serves `NAME:...`.
    """

    kind: str
    group: str  # of entry points
    entries: Mapping[str, Entry]

    def find(self, spec: str) -> Entry:
        """Return the first entry whose form `spec` has."""
        installed = self._installed() if re.match(r"\w+:", spec) else []
        for entry in (*installed, *self.entries.values()):
            if entry.matches(spec):
                return entry
        forms = ", ".join(form for form, _ in self.describe())
        raise UsageError(f"{spec}: no such {self.kind}; there are: {forms}")

    def describe(self) -> list[tuple[str, str]]:
        """(form, help) of every entry, for the help text."""
        return [(entry.form, entry.help) for entry in (*self.entries.values(), *self._installed())]

    def _installed(self) -> list[Entry]:
        """Entries of other packages; none takes a form that is ours."""
        ours = {entry.form.partition(":")[0] for entry in self.entries.values()}
        return [
            Entry(point.value, f"{point.name}:...", f"from {point.dist.name}", prefixed(point.name))
            for point in entry_points(group=self.group)
            if point.name not in ours and point.dist is not None
        ]


def prefixed(name: str) -> Callable[[str], bool]:
    """Whether a spelling begins with `NAME:`."""
    return lambda spelling: spelling.startswith(name + ":")
