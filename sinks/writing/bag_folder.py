"""A bag of ROS 2 that appears whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sinks.writing.files import check_writable, faults_of
from sinks.writing.records import to_json
from sinks.writing.resume import refuse_another_run
from streamflow.errors import SinkError

if TYPE_CHECKING:
    from rosbags.interfaces import Connection
    from rosbags.rosbag2 import Writer
    from rosbags.typesys.store import Typestore

    from sinks import Run

OURS = "streamflow"  # key under which a bag says which run wrote it


class BagFolder:
    """Grows as `DIR.part/DIR` and takes its place when it is whole."""

    def __init__(self, target: str, run: Run, types: Typestore) -> None:
        self._path, self._run, self._types = Path(target), run, types
        if not self._path.name:
            raise SinkError("bag: names no folder; write bag:DIR")
        self._part = self._path.with_name(f"{self._path.name}.part")
        self._left_over = self._part.exists()  # of an interrupted run
        self._writer: Writer | None = None
        self._connections: dict[str, Connection] = {}
        with faults_of(self._path):
            check_writable(self._path.parent)
            self._refuse_earlier()

    def add(self, topic: str, kind: str, at: int, message: Any) -> None:
        """Write a message of the type "package/msg/Name" at `at` nanoseconds."""
        writer = self._writer or self._begin()
        try:
            if topic not in self._connections:
                self._connections[topic] = writer.add_connection(topic, kind, typestore=self._types)
            with faults_of(self._path):
                writer.write(self._connections[topic], at, self._types.serialize_cdr(message, kind))
        except BaseException:
            self._give_up()
            raise

    def close(self) -> None:
        """Give the bag its name."""
        if self._writer is None:
            return
        writer, self._writer = self._writer, None
        with faults_of(self._path):
            writer.close()
            if self._path.exists():
                shutil.rmtree(self._path)
            os.replace(self._part / self._path.name, self._path)
            self._part.rmdir()

    def _begin(self) -> Writer:
        from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer

        if self._part.exists() and not self._left_over:
            raise SinkError(f"{self._path}: another output writes to it; choose another name")
        with faults_of(self._path):
            if self._part.exists():
                shutil.rmtree(self._part)
            writer = Writer(self._part / self._path.name, version=9, storage_plugin=StoragePlugin.MCAP)
            writer.set_compression(CompressionMode.STORAGE, CompressionFormat.ZSTD)
            writer.set_custom_data(OURS, to_json(self._run.provenance))
            writer.open()
        self._writer, self._left_over = writer, False
        return writer

    def _give_up(self) -> None:
        """Leave nothing of a bag that cannot be finished."""
        writer, self._writer = self._writer, None
        if writer is not None:
            with suppress(OSError):
                writer.abort()
            shutil.rmtree(self._part, ignore_errors=True)

    def _refuse_earlier(self) -> None:
        """Refuse to replace what is not ours, or nobody wants replaced; an interrupted run begins again."""
        may_replace = self._run.overwrite or self._run.resume
        if self._left_over and not may_replace:
            raise SinkError(f"{self._part}: is left of an interrupted run; -y replaces it")
        if not self._path.exists():
            return
        if not may_replace:
            raise SinkError(f"{self._path}: exists; -y replaces it, or choose another name")
        run = _run_that_wrote(self._path)
        if run is None:
            raise SinkError(f"{self._path}: is not an output of streamflow; choose another name")
        if self._run.resume:
            refuse_another_run(self._path, run, self._run)


def _run_that_wrote(path: Path) -> dict[str, Any] | None:
    """The provenance in a bag; None if streamflow did not write it."""
    from rosbags.rosbag2 import Reader

    try:
        with Reader(path) as reader:
            run: dict[str, Any] = json.loads((reader.storage.metadata.custom or {})[OURS])
    except Exception:  # of whatever stands there
        return None
    return run
