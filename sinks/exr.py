"""Depth and motion vectors as OpenEXR, for compositing."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from scipy.special import erf

from sinks.writing.folder import Folder
from streamflow.errors import SinkError
from streamflow.extras import extra
from streamflow.geometry.inverse_flow import at_ends_of, inverted
from streamflow.stages import Stage
from streamflow.values import Depth, Map, Vectors

if TYPE_CHECKING:
    from sinks import Run
    from streamflow.values import Result

DEPTH_RIGHT = 0.1  # of the depth: errors below count as none
VECTOR_RIGHT = 0.5  # pixels
FACTS = {
    "quantity": "Z: depth along the optical axis; A: 1 where it is known; forward.u, forward.v: motion to "
    "the next frame, v upwards; confidence.Z, confidence.forward: probability that Z is right within a "
    "tenth, the vector within half a pixel",
    "invalid": "0, where A or confidence.forward is 0",
}


class ExrSink:
    """Writes `DIR/frame_000012.exr`, 12 being the frame that the maps lie on, in channels of 32-bit floats.

    Vectors lead from the older frame to the next, as compositing programs have them: a frame waits for the
    pair after its own. The last frame of a segment has none. What is not known is 0: a NaN would spread with
    every filter.
    """

    needs: ClassVar[frozenset[Stage]] = frozenset({Stage.DEPTH})

    def __init__(self, target: str, run: Run) -> None:
        with extra("exr", f"exr:{target}", SinkError):
            import OpenEXR
        self._openexr = OpenEXR
        self._folder = Folder(target, run, "exr", ".exr", of_reference=True)
        self._waiting: Result | None = None

    def write(self, result: Result) -> None:
        """Write the frame before, now that it is known where everything went."""
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            self._add(waiting, forward(waiting, result))
        self._waiting = result

    def close(self) -> None:
        """Write the last frame, and close the manifest."""
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            self._add(waiting, forward(waiting, None))
        self._folder.close()

    def _add(self, result: Result, vectors: dict[str, Map]) -> None:
        assert result.depth is not None
        unit = result.depth.unit
        data = self._encoded({**depth_channels(result.depth), **vectors})
        self._folder.add(result, data, {**FACTS, "unit": f"Z in {unit}, vectors in pixels"}, depth_unit=unit)

    def _encoded(self, channels: dict[str, Map]) -> memoryview:
        header = {"compression": self._openexr.ZIP_COMPRESSION, "type": self._openexr.scanlineimage}
        whole = {name: np.ascontiguousarray(values, np.float32) for name, values in channels.items()}
        buffer = BytesIO()
        self._openexr.File(header, whole).write(buffer)
        return buffer.getbuffer()


def depth_channels(depth: Depth) -> dict[str, Map]:
    """Z, A and the confidence."""
    known = depth.inverse > 0
    z, errors = np.zeros_like(depth.inverse), np.zeros_like(depth.inverse)
    np.divide(1, depth.inverse, out=z, where=known)
    np.divide(DEPTH_RIGHT * depth.inverse, np.sqrt(depth.variance), out=errors, where=known)
    return {"Z": z, "A": known, "confidence.Z": erf(errors / np.sqrt(2))}


def forward(result: Result, following: Result | None) -> dict[str, Map]:
    """Vectors on the frame of `result`: its own, or those of the pair that follows the other way round."""
    flow = result.flow
    assert flow is not None
    if result.pair.forward:
        return vector_channels(flow.vectors, flow.evident)
    if following is None or following.pair.target.index != result.pair.reference.index:
        nothing = np.zeros(flow.vectors.shape[:2], np.float32)
        return {"forward.u": nothing, "forward.v": nothing, "confidence.forward": nothing}
    assert following.flow is not None
    vectors = inverted(following.flow.vectors)
    return vector_channels(vectors, at_ends_of(vectors, following.flow.evident))


def vector_channels(vectors: Vectors, sigma: Map) -> dict[str, Map]:
    """Pixels to the right and, as compositing programs count, upwards; the confidence of both together."""
    known = np.asarray(np.isfinite(vectors).all(axis=-1))
    u, v = np.where(known[..., None], vectors, 0).transpose(2, 0, 1)
    with np.errstate(invalid="ignore"):
        sure = 1 - np.exp(-((VECTOR_RIGHT / sigma) ** 2) / 2)  # Rayleigh's distribution
    return {"forward.u": u, "forward.v": -v, "confidence.forward": np.where(known, np.nan_to_num(sure), 0)}
