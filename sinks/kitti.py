"""Flow as KITTI's 16-bit PNG."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from sinks.writing.folder import Folder
from streamflow.stages import Stage
from streamflow.values import Flow, Mask

if TYPE_CHECKING:
    from sinks import Run
    from streamflow.values import Result

STEPS = 64  # per pixel
ZERO = 2**15
OUTLIER = 3.0  # pixels: the benchmark counts a larger error as wrong
FACTS = {
    "quantity": "optical flow, channels (u, v, valid), from the frame the map lies on to the other one",
    "unit": f"pixels: (stored - {ZERO}) / {STEPS}",
    "invalid": f"valid = 0: smin below threshmin, predicted error above {OUTLIER} px, or beyond 512 px",
}


def valid_pixels(flow: Flow, threshmin: float) -> Mask:
    """Where the flow is known, confident and within the format's range.

    A vector whose own predicted error is larger than what the benchmark calls wrong is not an answer.
    """
    limit = (2**16 - 1 - ZERO) / STEPS
    with np.errstate(invalid="ignore"):
        within = (np.abs(flow.vectors) <= limit).all(axis=2)  # NaN is not
        confident = (flow.smin >= threshmin) & (flow.sigma <= OUTLIER)
    return np.asarray(within & confident, np.bool_)


def encode(flow: Flow, valid: Mask) -> NDArray[np.uint16]:
    """(H, W, 3) uint16 (valid, v, u): the order in which OpenCV writes channels u, v, valid."""
    stored = np.rint(np.where(valid[..., None], flow.vectors, 0) * STEPS + ZERO) * valid[..., None]
    u, v = np.moveaxis(stored, 2, 0)
    return np.dstack([valid, v, u]).astype(np.uint16)


class KittiSink:
    """Writes `DIR/frame_000012.png`; the valid channel follows from the flow's own confidence."""

    needs: ClassVar[frozenset[Stage]] = frozenset({Stage.FLOW})

    def __init__(self, target: str, run: Run) -> None:
        self._knobs = run.knobs
        self._folder = Folder(target, run, "kitti", ".png")

    def write(self, result: Result) -> None:
        """Write the flow of one pair."""
        assert result.flow is not None
        threshmin = self._knobs.threshmin
        valid = valid_pixels(result.flow, threshmin)
        data = cv2.imencode(".png", encode(result.flow, valid))[1].data
        self._folder.add(result, data, FACTS, threshmin=threshmin, valid_share=valid.mean())

    def close(self) -> None:
        """Close the manifest."""
        self._folder.close()
