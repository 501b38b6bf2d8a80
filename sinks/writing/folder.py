"""A folder of numbered files with a sidecar and a manifest: what the sinks that write sequences share."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sinks.writing.files import check_writable, crc32, faults_of, identity, open_at, write_fully, write_whole
from sinks.writing.records import camera_record, pair_record, read_records, to_json
from sinks.writing.resume import EarlierLines, refuse_another_run
from streamflow.errors import SinkError

if TYPE_CHECKING:
    from sinks import Run
    from streamflow.values import Result

MANIFEST = "manifest.jsonl"
SIDECAR = "sidecar.json"


class Folder:
    """A numbered sequence of files of one kind.

    ::

        DIR/
            sidecar.json        what the files hold: quantity, unit, invalid value, camera matrix
            manifest.jsonl      first line: the settings of the run; then a line for each file, its crc32
            frame_000012.png    12 is the index of the pair's newest frame, or of the one its maps lie on

    A file is listed after it took its final name: what is listed is whole, however the run ended, and
    the crc32 tells whether it still is.
    """

    def __init__(
        self, target: str, run: Run, output: str, suffix: str, *, of_reference: bool = False
    ) -> None:
        self._path = Path(target)
        self._run = run
        self._output = output
        self._suffix = suffix
        self._of_reference = of_reference
        self._manifest: int | None = None
        self._listed: EarlierLines | None = None  # what an interrupted run wrote and this one repeats
        self._begun = False
        if not target:
            raise SinkError(f"{output}: names no folder; write {output}:DIR")
        with faults_of(self._path):
            self._refuse_earlier_output()
            check_writable(self._path)
        self._earlier = identity(self._path / MANIFEST)
        if run.resume and self._earlier is not None:
            self._listed = self._continued()

    def add(self, result: Result, data: bytes | memoryview, facts: Mapping[str, Any], **record: Any) -> None:
        """Write the file of `result`; `facts` go to the sidecar, once, and `record` to its own line."""
        if not self._begun:
            self._begin(result, facts)
        frame = result.pair.reference if self._of_reference else result.pair.newest
        name = f"frame_{frame.index:06d}{self._suffix}"
        line = {"file": name, **pair_record(result), **record, "bytes": len(data), "crc32": crc32(data)}
        listed = self._manifest is None and self._listed is not None and self._listed.repeats(line)
        if not (listed and _holds(self._path / name, data)):
            write_whole(self._path / name, data)
        if not listed:
            self._append(line)

    def close(self) -> None:
        """Close the manifest."""
        if self._manifest is not None:
            os.close(self._manifest)
            self._manifest = None

    def _refuse_earlier_output(self) -> None:
        earlier = (self._path / MANIFEST).exists()
        if self._path.exists() and not self._path.is_dir():
            raise SinkError(f"{self._path}: is a file, not a folder; choose another name")
        if earlier and not (self._run.overwrite or self._run.resume):
            raise SinkError(
                f"{self._path}: holds an earlier output; --resume continues it, -y replaces it, "
                "or choose another folder"
            )
        if not earlier and (other := next(self._path.glob(f"frame_*{self._suffix}"), None)):
            raise SinkError(
                f"{other}: is not an output of streamflow and would be replaced; choose another folder"
            )

    def _begin(self, result: Result, facts: Mapping[str, Any]) -> None:
        manifest = self._path / MANIFEST
        with faults_of(self._path):
            self._path.mkdir(parents=True, exist_ok=True)
            if identity(manifest) != self._earlier:
                raise SinkError(f"{self._path}: another output writes to it; give each its own folder")
        if self._listed is None:
            self._remove_earlier_output()
            self._append({"output": self._output, **self._run.provenance})
        sidecar = {"output": self._output, **camera_record(result), **facts, **self._run.provenance}
        write_whole(self._path / SIDECAR, to_json(sidecar, indent=2).encode() + b"\n")
        self._begun = True

    def _continued(self) -> EarlierLines | None:
        """The lines of the manifest after its header, if an interrupted run got as far as that."""
        listed = EarlierLines(self._path / MANIFEST)
        header = listed.next()
        if header is None:
            return None
        if header.get("output") != self._output:
            raise SinkError(f"{self._path}: holds {header.get('output')} files; choose another folder")
        refuse_another_run(self._path, header, self._run)
        return listed

    def _remove_earlier_output(self) -> None:
        manifest = self._path / MANIFEST
        if manifest.exists():
            with faults_of(self._path):
                for entry in read_records(manifest)[1:]:
                    (self._path / Path(entry["file"]).name).unlink(missing_ok=True)
                for part in self._path.glob("frame_*.part"):
                    part.unlink()
                manifest.unlink()

    def _append(self, record: Mapping[str, Any]) -> None:
        with faults_of(self._path / MANIFEST):
            if self._manifest is None:
                whole = self._listed.size if self._listed is not None else 0
                self._manifest = open_at(self._path / MANIFEST, whole)
            write_fully(self._manifest, to_json(record).encode() + b"\n")


def _holds(path: Path, data: bytes | memoryview) -> bool:
    return path.is_file() and path.read_bytes() == data
