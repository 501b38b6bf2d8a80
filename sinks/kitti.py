"""Flow as KITTI's 16-bit PNG."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from sinks.writing.folder import Folder
from streamflow.formats import kitti
from streamflow.stages import Stage
from streamflow.values import Flow, Mask

if TYPE_CHECKING:
    from sinks import Run
    from streamflow.values import Result

MAX_SIGMA = 3.0  # pixels: the benchmark counts a larger error as wrong
FACTS = {
    "quantity": "optical flow, channels (u, v, valid), from the frame the map lies on to the other one",
    "unit": f"pixels: (stored - {kitti.ZERO}) / {kitti.STEPS}",
    "invalid": f"valid = 0: smin below threshmin, predicted error above {MAX_SIGMA} px, or beyond 512 px",
}


def valid_pixels(flow: Flow, threshmin: float) -> Mask:
    """Where the flow is known, confident and within the format's range.

    A vector whose own predicted error is larger than what the benchmark calls wrong is not an answer.
    """
    with np.errstate(invalid="ignore"):
        within = (np.abs(flow.vectors) <= kitti.LARGEST).all(axis=2)  # NaN is not
        confident = (flow.smin >= threshmin) & (flow.sigma <= MAX_SIGMA)
    return np.asarray(within & confident, np.bool_)


class KittiSink:
    """Writes `DIR/frame_000012.png`; the valid channel follows from the flow's own confidence.

    The threshold is that of the run: what a viewer makes of it in a window changes no file.
    """

    needs: ClassVar[frozenset[Stage]] = frozenset({Stage.FLOW})

    def __init__(self, target: str, run: Run) -> None:
        self._threshmin = run.knobs.threshmin
        self._folder = Folder(target, run, "kitti", ".png")

    def write(self, result: Result) -> None:
        """Write the flow of one pair."""
        assert result.flow is not None
        valid = valid_pixels(result.flow, self._threshmin)
        data = kitti.encode(result.flow.vectors, valid)
        self._folder.add(result, data, FACTS, threshmin=self._threshmin, valid_share=valid.mean())

    def close(self) -> None:
        """Close the manifest."""
        self._folder.close()
