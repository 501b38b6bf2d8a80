"""Inverse depth as lossless 16-bit video: the smallest of the depth outputs, in one file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from sinks.writing.files import crc32
from sinks.writing.lines import Lines
from sinks.writing.records import camera_record, pair_record
from sinks.writing.video_file import Encoding, VideoFile
from streamflow.formats import depth16
from streamflow.stages import Stage

if TYPE_CHECKING:
    from sinks import Run
    from streamflow.values import Result

FFV1 = Encoding(
    "matroska",
    "ffv1",
    "gray16le",
    {"level": "3", "g": "1", "slicecrc": "1", "slices": "4"},
    {"cluster_time_limit": "1", "flush_packets": "1", "fflags": "+bitexact"},
    ticks=1000,
)


class DepthVideoSink:
    """Writes `FILE.mkv` (FFV1, grey 16-bit) and `FILE.mkv.jsonl`.

    The first line of the second file says what the pictures hold; then there is a line for each, with
    its scale and the crc32 of its pixels, because a decoder does not notice every damage.
    """

    needs: ClassVar[frozenset[Stage]] = frozenset({Stage.DEPTH})

    def __init__(self, target: str, run: Run) -> None:
        self._run = run
        self._video = VideoFile(target, run, FFV1)
        self._manifest = Lines(target + ".jsonl", run)
        self._scale = depth16.SegmentScale(run.painter.style.limits)
        self._begun = False

    def write(self, result: Result) -> None:
        """Append the picture of one pair, and its line."""
        depth = result.depth
        assert depth is not None
        scale = self._scale(depth, result.segment)
        stored = depth16.encode(depth.inverse, scale)
        self._video.add(stored, "gray16le", result.pair)
        if not self._begun:
            self._begun = True
            self._manifest.add(self._header(result, depth16.facts(depth)))
        crc = crc32(stored.astype("<u2").data.cast("B"))
        self._manifest.add({**pair_record(result), **depth16.line(result, scale), "crc32": crc})

    def close(self) -> None:
        """Give both files their names."""
        self._video.close()
        self._manifest.close(whole=self._video.whole)

    def _header(self, result: Result, facts: dict[str, Any]) -> dict[str, Any]:
        return {"output": "depth", **camera_record(result), **facts, **self._run.provenance}
