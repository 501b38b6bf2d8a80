"""Inverse depth as float PFM."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from sinks.writing.folder import Folder
from streamflow.formats import pfm
from streamflow.stages import Stage

if TYPE_CHECKING:
    from sinks import Run
    from streamflow.values import Result


class PfmSink:
    """Writes `DIR/frame_000012.pfm`: inverse depth as it was computed, NaN where unknown."""

    needs: ClassVar[frozenset[Stage]] = frozenset({Stage.DEPTH})

    def __init__(self, target: str, run: Run) -> None:
        self._folder = Folder(target, run, "pfm", ".pfm")

    def write(self, result: Result) -> None:
        """Write the map of one pair."""
        assert result.depth is not None
        facts = {"quantity": "inverse depth", "unit": f"1/{result.depth.unit}", "invalid": "NaN"}
        self._folder.add(result, pfm.encode(result.depth.inverse), facts)

    def close(self) -> None:
        """Close the manifest."""
        self._folder.close()
