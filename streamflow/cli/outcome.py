"""How the run of one source ended."""

from __future__ import annotations

import signal
from collections.abc import Iterable
from dataclasses import dataclass

INCOMPLETE = 5  # exit code: finished, but the input was damaged or incomplete
INTERRUPTED = 128  # and above: ended by a signal
STATES = ("done", "skipped", "damaged", "interrupted", "failed")


@dataclass(frozen=True)
class Outcome:
    """An exit code, and what stands behind it."""

    code: int = 0
    why: str = ""  # in a few words, where the code is not 0
    skipped: bool = False  # was finished before
    said: tuple[str, ...] = ()  # lines for the user
    printed: str = ""  # data for standard output

    def reason(self, name: str) -> str:
        """Why, as it follows the name of the source."""
        return f": {self.why.removeprefix(f'{name}: ')}" if self.why else ""

    @property
    def state(self) -> str:
        """One word for the table."""
        if self.skipped:
            return "skipped"
        if self.code >= INTERRUPTED:
            return "interrupted"
        return {0: "done", INCOMPLETE: "damaged"}.get(self.code, "failed")


def interrupted(number: int = signal.SIGINT) -> Outcome:
    """Return the outcome of a run that a signal ended, or kept from beginning."""
    return Outcome(INTERRUPTED + number, "interrupted")


def worst(outcomes: Iterable[Outcome]) -> int:
    """Return the exit code of them all: interrupted before failed before damaged before done."""
    return max((outcome.code for outcome in outcomes), key=_severity, default=0)


def _severity(code: int) -> tuple[bool, bool, int]:
    return code >= INTERRUPTED, code not in (0, INCOMPLETE), code
