"""Annotated video."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import cv2
import numpy as np

from sinks.writing.video_file import Encoding, VideoFile

if TYPE_CHECKING:
    from sinks import Run
    from streamflow.stages import Stage
    from streamflow.values import Frame, FramePair, Image, Result

# Without look-ahead the encoder holds back one picture, the most that a crash can lose.
H264 = {"preset": "veryfast", "crf": "23", "bf": "0", "x264-params": "rc-lookahead=0:sync-lookahead=0"}
VP9 = {"deadline": "realtime", "cpu-used": "8", "crf": "30", "b:v": "0", "row-mt": "1", "lag-in-frames": "0"}

# While it grows an mp4 is a chain of fragments that are playable by themselves, one a picture, however slowly
# these come; closed, it is a plain one.
FRAGMENTS = {
    "movflags": "hybrid_fragmented+frag_keyframe+delay_moov",
    "frag_duration": "1",  # microseconds
    "flush_packets": "1",
}
CLUSTERS = {
    "cluster_time_limit": "1",  # milliseconds
    "flush_packets": "1",
    "fflags": "+bitexact",  # no random id
}

ENCODINGS = {
    ".mp4": Encoding("mp4", "libx264", "yuv420p", H264, FRAGMENTS),
    ".mov": Encoding("mov", "libx264", "yuv420p", H264, FRAGMENTS),
    ".mkv": Encoding("matroska", "libx264", "yuv420p", H264, CLUSTERS, ticks=1000),
    ".webm": Encoding("webm", "libvpx-vp9", "yuv420p", VP9, CLUSTERS, ticks=1000),
}


def even(picture: Image) -> Image:
    """Repeat the last column or row where the size is odd: chroma is stored at half the resolution."""
    height, width = picture.shape[:2]
    if height % 2 == width % 2 == 0:
        return picture
    padded = cv2.copyMakeBorder(picture, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
    return np.asarray(padded, np.uint8)


def fitted(picture: Image, size: tuple[int, int]) -> Image:
    """`picture` scaled into `size`, with black bars: a video has one size, whatever its source does."""
    height, width = picture.shape[:2]
    if (width, height) == size:
        return picture
    scale = min(size[0] / width, size[1] / height)
    inner = round(scale * width), round(scale * height)
    left, top = (size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2
    canvas = np.zeros((size[1], size[0], 3), np.uint8)
    canvas[top : top + inner[1], left : left + inner[0]] = cv2.resize(
        picture, inner, interpolation=cv2.INTER_AREA
    )
    return canvas


class VideoSink:
    """Writes the painter's pictures at the times of the frames they lie on."""

    needs: ClassVar[frozenset[Stage]] = frozenset()

    def __init__(self, target: str, run: Run) -> None:
        self._painter = run.painter
        self._size: tuple[int, int] | None = None  # (width, height) of the first picture
        self._video = VideoFile(target, run, ENCODINGS[Path(target).suffix.lower()], run.audio)
        self._last: Result | None = None

    def write(self, result: Result) -> None:
        """Append the picture of one pair."""
        self._add(result, result.pair)
        self._last = result

    def hold(self, frame: Frame) -> None:
        """Append the last picture again; on an earlier frame than the newest it would come too late."""
        if self._last is not None and not self._last.pair.forward:
            self._add(self._last, replace(self._last.pair, reference=frame))

    def close(self) -> None:
        """Give the file its name."""
        self._video.close()

    def _add(self, result: Result, pair: FramePair) -> None:
        picture = even(self._painter.draw(result))
        self._size = self._size or (picture.shape[1], picture.shape[0])
        self._video.add(fitted(picture, self._size), "bgr24", pair)
