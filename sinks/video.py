"""Annotated video."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import cv2
import numpy as np

from sinks.writing.video_file import Encoding, VideoFile

if TYPE_CHECKING:
    from sinks import Run
    from streamflow.stages import Stage
    from streamflow.values import Image, Result

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


class VideoSink:
    """Writes the painter's pictures at the times of the frames they lie on."""

    needs: ClassVar[frozenset[Stage]] = frozenset()

    def __init__(self, target: str, run: Run) -> None:
        self._painter = run.painter
        self._video = VideoFile(target, run, ENCODINGS[Path(target).suffix.lower()], run.audio)

    def write(self, result: Result) -> None:
        """Append the picture of one pair."""
        self._video.add(even(self._painter.draw(result)), "bgr24", result.pair)

    def close(self) -> None:
        """Give the file its name."""
        self._video.close()
