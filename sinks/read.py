"""Arrays back from what the sinks wrote, in one line each.

>>> for index, time, inverse_depth in read_depth("drive-depth"): ...
>>> vectors = read_flow("drive-flow/frame_000012.flo")
>>> arrays = read_npz("drive/frame_000012.npz")

Unknown is NaN everywhere, whatever the file marks it with.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from sinks.writing.files import crc32
from sinks.writing.folder import MANIFEST, SIDECAR
from sinks.writing.records import read_records
from streamflow.errors import SourceError
from streamflow.formats import depth16, flo, kitti, pfm, ply
from streamflow.values import Image, Map, Vectors

DepthOfFrame = tuple[int, float | None, Map]  # index, seconds (None without a clock), inverse depth


def read_manifest(folder: str | Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The settings of the run that wrote `folder`, and one record for each file, in order."""
    with _faults_of(folder):
        header, *files = read_records(Path(folder) / MANIFEST)
    return header, files


def read_sidecar(folder: str | Path) -> dict[str, Any]:
    """What the files of `folder` hold: quantity, unit, invalid value, camera matrix."""
    with _faults_of(folder):
        sidecar: dict[str, Any] = json.loads((Path(folder) / SIDECAR).read_text(encoding="utf-8"))
    return sidecar


def read_depth(path: str | Path) -> Iterator[DepthOfFrame]:
    """Inverse depth from `depth:DIR` or `depth:FILE.mkv`, frame by frame.

    Yields
    ------
    index : int
        Of the pair's newest frame.
    time : float or None
        Seconds on the stream's clock.
    inverse_depth : ndarray of float32, shape (H, W)
        In the unit that the sidecar names, NaN where unknown.

    Raises
    ------
    SourceError
        A file is missing, or is not what was written.
    """
    read = _depth_pictures if Path(path).is_dir() else _depth_video
    for stored, record in read(Path(path)):
        yield record["index"], record["time"], depth16.decode(stored, record["scale"])


def read_flow(path: str | Path) -> Vectors:
    """Flow (H, W, 2) in pixels from a `.flo` file or a KITTI `.png`."""
    return read_flo(path) if Path(path).suffix == ".flo" else read_kitti(path)


def read_flo(path: str | Path) -> Vectors:
    """Flow (H, W, 2) in pixels from a Middlebury file."""
    with _faults_of(path):
        return flo.decode(Path(path).read_bytes())


def read_kitti(path: str | Path) -> Vectors:
    """Flow (H, W, 2) in pixels from a KITTI PNG."""
    with _faults_of(path):
        return kitti.decode(Path(path).read_bytes())


def read_pfm(path: str | Path) -> Map:
    """One-channel PFM."""
    with _faults_of(path):
        return pfm.decode(Path(path).read_bytes())


def read_npz(path: str | Path) -> dict[str, Any]:
    """Every array of a pair by name; what is a single number or text comes as such."""
    with _faults_of(path), np.load(path) as found:
        return {name: found[name] if found[name].ndim else found[name].item() for name in found.files}


def read_ply(path: str | Path) -> tuple[NDArray[np.float32], Image]:
    """Points (N, 3) and their colours (N, 3) BGR, from `ply:DIR`."""
    with _faults_of(path):
        return ply.decode(Path(path).read_bytes())


def _depth_pictures(folder: Path) -> Iterator[tuple[NDArray[np.uint16], dict[str, Any]]]:
    for record in read_manifest(folder)[1]:
        path = folder / record["file"]
        if crc32(_bytes(path)) != record["crc32"]:
            raise SourceError(f"{path}: damaged since it was written: its crc32 is not the one in {MANIFEST}")
        yield _picture(path), record


def _depth_video(path: Path) -> Iterator[tuple[NDArray[np.uint16], dict[str, Any]]]:
    import av

    with _faults_of(path):
        records = read_records(path.with_name(path.name + ".jsonl"))[1:]
    with _faults_of(path), av.open(f"file:{path}") as container:
        frames = container.decode(video=0)
        for count, record in enumerate(records):
            if (frame := next(frames, None)) is None:
                raise SourceError(f"{path}: ends after {count} of {len(records)} pictures")
            stored = np.asarray(frame.to_ndarray(format="gray16le"), np.uint16)
            if crc32(stored.astype("<u2").data.cast("B")) != record["crc32"]:
                raise SourceError(
                    f"{path}: damaged since it was written: frame {record['index']} has another crc32"
                )
            yield stored, record


def _bytes(path: str | Path) -> bytes:
    with _faults_of(path):
        return Path(path).read_bytes()


def _picture(path: str | Path) -> NDArray[Any]:
    picture = cv2.imdecode(np.frombuffer(_bytes(path), np.uint8), cv2.IMREAD_UNCHANGED)
    if picture is None:
        raise SourceError(f"{path}: not a picture that can be read")
    return picture


@contextmanager
def _faults_of(path: str | Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        raise SourceError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from error
