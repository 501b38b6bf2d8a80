"""Flow in Middlebury's format."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from sinks.writing.folder import Folder
from streamflow.formats import flo
from streamflow.stages import Stage

if TYPE_CHECKING:
    from sinks import Run
    from streamflow.values import Result

FACTS = {
    "quantity": "optical flow (u, v), from the frame the map lies on to the other one of the pair",
    "unit": "pixels",
    "invalid": f"absolute value above {flo.UNKNOWN_ABOVE:g}",
}


class FloSink:
    """Writes `DIR/frame_000012.flo`, with unknown vectors marked as Middlebury does."""

    needs: ClassVar[frozenset[Stage]] = frozenset({Stage.FLOW})

    def __init__(self, target: str, run: Run) -> None:
        self._folder = Folder(target, run, "flo", ".flo")

    def write(self, result: Result) -> None:
        """Write the flow of one pair."""
        assert result.flow is not None
        self._folder.add(result, flo.encode(result.flow.vectors), FACTS)

    def close(self) -> None:
        """Close the manifest."""
        self._folder.close()
