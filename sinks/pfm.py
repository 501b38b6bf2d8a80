"""Inverse depth as float PFM."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from sinks.writing.folder import Folder
from streamflow.stages import Stage
from streamflow.values import Map

if TYPE_CHECKING:
    from sinks import Run
    from streamflow.values import Result


def encode(values: Map) -> bytes:
    """One channel (Pf), little-endian (a negative scale), bottom row first."""
    height, width = values.shape
    return f"Pf\n{width} {height}\n-1.0\n".encode() + values[::-1].astype("<f4").tobytes()


class PfmSink:
    """Writes `DIR/frame_000012.pfm`: inverse depth as it was computed, NaN where unknown."""

    needs: ClassVar[frozenset[Stage]] = frozenset({Stage.DEPTH})

    def __init__(self, target: str, run: Run) -> None:
        self._folder = Folder(target, run, "pfm", ".pfm")

    def write(self, result: Result) -> None:
        """Write the map of one pair."""
        assert result.depth is not None
        facts = {"quantity": "inverse depth", "unit": f"1/{result.depth.unit}", "invalid": "NaN"}
        self._folder.add(result, encode(result.depth.inverse), facts)

    def close(self) -> None:
        """Close the manifest."""
        self._folder.close()
