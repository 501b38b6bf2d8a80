"""What an interrupted run left: read back and compared with what the run that continues it writes.

A run is continued by doing it again: each stage remembers what came before, so the same results need the
same past. What is there must be the beginning of what is written now, and stays as it is.

Nor is the drawing and encoding of what is there left out: the colour range and the smoothed heading of a
picture go on from the one before, as does the encoder of a video. That costs a seventh of the time, as it
happens while the next pair is computed, and compares every byte that was written with what it should be.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sinks.writing.files import faults_of
from sinks.writing.records import to_json
from streamflow.errors import SinkError

if TYPE_CHECKING:
    from sinks import Run

MEASURED = "timing_ms"  # the part of a record that no two runs share


class EarlierLines:
    """The lines of a JSONL file, one by one; a torn last one, of a writer that was killed, does not count."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0  # bytes of the lines so far

    def next(self) -> dict[str, Any] | None:
        """Return the next record; None after the last whole line."""
        line = self._whole_line()
        if not line:
            return None
        try:
            record: dict[str, Any] = json.loads(line)
        except ValueError:
            raise SinkError(f"{self.path}: is not an output of streamflow; choose another name") from None
        self.size += len(line)
        return record

    def repeats(self, record: Mapping[str, Any]) -> bool:
        """Whether the next line says what `record` says; False after the last one.

        Raises
        ------
        SinkError
            It says something else.
        """
        earlier = self.next()
        if earlier is None:
            return False
        if _without_times(earlier) != _without_times(json.loads(to_json(record))):
            raise SinkError(
                f"{self.path}: cannot be continued: it says something else of frame {earlier.get('index')}; "
                "another source, other settings or another version wrote it; -y replaces it"
            )
        return True

    @property
    def repeated(self) -> bool:
        """Whether all lines have been asked for, and there were some."""
        return self.size > 0 and not self._whole_line()

    def _whole_line(self) -> bytes:
        """Bytes of the next line; none after the last whole one."""
        with faults_of(self.path), self.path.open("rb") as file:
            file.seek(self.size)
            line = file.readline()
        return line if line.endswith(b"\n") else b""


def refuse_another_run(path: Path, earlier: Mapping[str, Any], run: Run) -> None:
    """Raise `SinkError` unless `path`, whose header is `earlier`, was begun with this source and settings."""
    now = json.loads(to_json(run.provenance))
    for name, before, after in _pairs(earlier, now):
        if before != after:
            raise SinkError(
                f"{path}: cannot be continued: {name} was {before}, is {after}; "
                "-y replaces it, or choose another name"
            )


def _pairs(earlier: Mapping[str, Any], now: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """(name, before, after) of everything that decides what a run writes; the settings one by one."""
    before, after = earlier.get("settings") or {}, now["settings"]
    settings = [(f"--{name}", before.get(name), after.get(name)) for name in sorted({*before, *after})]
    return [
        ("the source", earlier.get("source"), now["source"]),
        ("the state of the source's files", earlier.get("source_state"), now["source_state"]),
        *settings,
    ]


def _without_times(record: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name != MEASURED}
