"""Flow in Middlebury's format."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from sinks.writing.folder import Folder
from streamflow.stages import Stage
from streamflow.values import Vectors

if TYPE_CHECKING:
    from sinks import Run
    from streamflow.values import Result

TAG = 202021.25
UNKNOWN = np.float32(1e10)  # readers take anything above 1e9 as unknown
FACTS = {
    "quantity": "optical flow (u, v), from the frame the map lies on to the other one of the pair",
    "unit": "pixels",
    "invalid": "absolute value above 1e9",
}


def encode(vectors: Vectors) -> bytes:
    """Tag, width, height, then u and v interleaved, row by row: little-endian float32 and int32."""
    height, width = vectors.shape[:2]
    known = np.isfinite(vectors).all(axis=2, keepdims=True)
    values = np.where(known, vectors, UNKNOWN).astype("<f4")
    header = struct.pack("<fii", TAG, width, height)
    return header + values.tobytes()


class FloSink:
    """Writes `DIR/frame_000012.flo`, with unknown vectors marked as Middlebury does."""

    needs: ClassVar[frozenset[Stage]] = frozenset({Stage.FLOW})

    def __init__(self, target: str, run: Run) -> None:
        self._folder = Folder(target, run, "flo", ".flo")

    def write(self, result: Result) -> None:
        """Write the flow of one pair."""
        assert result.flow is not None
        self._folder.add(result, encode(result.flow.vectors), FACTS)

    def close(self) -> None:
        """Close the manifest."""
        self._folder.close()
