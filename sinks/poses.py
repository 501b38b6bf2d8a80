"""The camera's trajectory, in the forms that evaluation tools read."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from sinks.writing.files import PartFile, faults_of, open_at, write_fully
from streamflow.stages import Stage

if TYPE_CHECKING:
    from sinks import Run
    from streamflow.values import Frame, Matrix, Result


def tum_line(frame: Frame, pose: Matrix) -> str:
    """TUM's form: timestamp tx ty tz qx qy qz qw, camera to world; the frame's index without a clock."""
    from scipy.spatial.transform import Rotation

    time = frame.index if frame.time is None else float(frame.time)
    numbers = [*pose[:3, 3], *Rotation.from_matrix(pose[:3, :3]).as_quat()]
    return f"{time:.6f} " + " ".join(f"{number:.9g}" for number in numbers)


def kitti_line(_: Frame, pose: Matrix) -> str:
    """KITTI's form: the upper three rows of the matrix, camera to world."""
    return " ".join(f"{number:.9g}" for number in pose[:3].ravel())


class PosesSink:
    """Writes `FILE`, and `FILE_2`, `FILE_3`, ... for what comes after a cut or after the camera was lost.

    Each file is one trajectory: it begins at the origin and has one unit. A frame whose pose is not known has
    no line.
    """

    needs: ClassVar[frozenset[Stage]] = frozenset({Stage.DEPTH})

    def __init__(self, target: str, run: Run) -> None:
        self._run = run
        self._path = Path(target)
        self._kitti = self._path.suffix == ".kitti"
        self._line: Callable[[Frame, Matrix], str] = kitti_line if self._kitti else tum_line
        self._first = PartFile(target, run)
        self._file: PartFile | None = None
        self._descriptor: int | None = None
        self._parts = 0
        self._earlier = [] if run.resume else self._numbered_files()
        for path in self._earlier:
            PartFile(str(path), run)  # refuses it, unless it may be replaced

    def write(self, result: Result) -> None:
        """Append the pose of the newest frame, and begin a file where a trajectory begins."""
        if result.starts_segment is not None or result.pose is None:
            self._end()
        if result.pose is None:
            return
        if self._descriptor is None:
            self._begin(result)
        self._append(self._line(result.pair.newest, result.pose))

    def close(self) -> None:
        """Give the last file its name."""
        self._end()

    def _begin(self, result: Result) -> None:
        for path in self._earlier:
            path.unlink(missing_ok=True)
        self._earlier = []
        self._parts += 1
        self._file = (
            self._first if self._parts == 1 else PartFile(str(self._numbered(self._parts)), self._run)
        )
        self._descriptor = open_at(self._file.begin(), 0)
        if not self._kitti:
            unit = result.depth.unit if result.depth is not None else "steps"
            self._append(f"# camera to world, {unit}: timestamp tx ty tz qx qy qz qw")
        pair = result.pair
        self._append(self._line(pair.target if pair.newest is pair.reference else pair.reference, np.eye(4)))

    def _append(self, line: str) -> None:
        assert self._descriptor is not None
        with faults_of(self._path):
            write_fully(self._descriptor, line.encode() + b"\n")

    def _end(self) -> None:
        if self._descriptor is not None and self._file is not None:
            os.close(self._descriptor)
            self._descriptor = None
            self._file.commit()

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.stem}_{number}{self._path.suffix}")

    def _numbered_files(self) -> list[Path]:
        """Files of later trajectories that an earlier run left."""
        found: list[Path] = []
        while (path := self._numbered(len(found) + 2)).exists():
            found.append(path)
        return found
