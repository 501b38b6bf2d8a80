"""Video files as FFmpeg opens them: which stream to read, and a sample of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO, cast

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream
from numpy.typing import NDArray

from sources.reading.decode import BROKEN, reason
from sources.reading.ffmpeg_log import FfmpegLog
from streamflow.errors import SourceError

STDIN = "-"

# A damaged header must not make the decoder ask for more memory than there is.
CODEC_OPTIONS = {"max_pixels": str(2**26)}

SAMPLES = 9  # frames looked at to find the levels of deep video


def open_container(path: str, log: FfmpegLog) -> InputContainer:
    """Open the video file at `path`.

    Raises
    ------
    SourceError
        There is no such file, or it is no video.
    """
    if Path(path).is_dir():
        raise SourceError(f"{path}: is a folder, not a video file")
    try:
        if Path(path).is_file() and Path(path).stat().st_size == 0:
            raise SourceError(f"{path}: is empty (0 bytes)")
        # "file:" lets names contain colons.
        opened = av.open(standard_input() if path == STDIN else f"file:{path}", metadata_errors="replace")
        return cast("InputContainer", opened)
    except FileNotFoundError:
        raise SourceError(f"{path}: no such file") from None
    except BROKEN as error:
        said = [line for _, line in log.take()]
        why = said[-1] if said else reason(error)
        raise SourceError(f"{path}: cannot be read as video ({why})") from error


def video_stream(container: InputContainer, path: str) -> VideoStream:
    """The video stream FFmpeg thinks best; the cover picture of a sound file does not count."""
    streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not streams:
        kinds = " and ".join(sorted({stream.type for stream in container.streams}))
        raise SourceError(f"{path}: has no video, only {kinds or 'an empty container'}")
    stream = container.streams.best("video")
    if stream not in streams:
        stream = streams[0]
    if stream.codec_context is None:
        raise SourceError(f"{path}: no decoder for its video format")
    stream.codec_context.options = CODEC_OPTIONS
    return stream


def standard_input() -> BinaryIO:
    """The stream that was piped into the program, unbuffered.

    A buffer has a lock, and Python aborts if a thread that is left behind holds it at the program's end.

    Raises
    ------
    SourceError
        Nothing was.
    """
    if sys.stdin is None or sys.stdin.isatty():
        raise SourceError("-: nothing is piped in; try: ffmpeg ... -f matroska - | python stream.py -")
    return open(sys.stdin.fileno(), "rb", buffering=0, closefd=False)


def sample(path: str) -> Iterator[NDArray[Any]]:
    """Pictures spread over the video file at `path`, as deep as they are."""
    with closing(FfmpegLog()) as log, open_container(path, log) as container:
        stream = video_stream(container, path)
        yield from (frame.to_ndarray() for frame in _spread_frames(container, stream))


def _spread_frames(container: InputContainer, stream: VideoStream) -> Iterator[av.VideoFrame]:
    duration = Fraction(container.duration or 0, av.time_base)
    start = Fraction(container.start_time or 0, av.time_base)
    for i in range(SAMPLES):
        with suppress(*BROKEN, StopIteration):
            container.seek(int((start + duration * i / SAMPLES) * av.time_base))
            yield next(iter(container.decode(stream)))
