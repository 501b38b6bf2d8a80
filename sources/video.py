"""Video files: every frame that can be decoded, when it was taken, and what is missing."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from sources.reading.decode import BROKEN, Decoder, has_clock, promised_packets, reason
from sources.reading.ffmpeg_log import FfmpegLog
from sources.reading.picture import Deinterlacer, Pictures
from sources.reading.timeline import Place
from streamflow.errors import SourceError
from streamflow.values import Frame, Health, Image, SourceInfo

# A damaged header must not make the decoder ask for more memory than there is.
CODEC_OPTIONS = {"max_pixels": str(2**26)}


class VideoSource:
    """Frames of a video file on the stream's own clock.

    Damaged packets are passed over and counted; a frame that follows a hole says so in its `gap`, one that
    came damaged, or was predicted from such a one, in `damaged`.

    Parameters
    ----------
    spelling : str
        Path of the file.
    fps : Fraction, optional
        Time base of raw streams, which have no clock of their own.
    every_frame : bool
        A file always gives every frame.
    """

    def __init__(self, spelling: str, *, fps: Fraction | None = None, every_frame: bool = False) -> None:
        self.health = Health()
        self._fps = fps
        self._log = FfmpegLog()
        self._container: InputContainer | None = None
        try:
            self._container = open_container(spelling, self._log)
            self._stream = video_stream(self._container, spelling)
            self._clockless = not has_clock(self._container)
            self._frames = self._read(self._container)
            first = next(self._frames, None)
            if first is None:
                why = self.health.notes[0] if self.health.notes else "the stream is empty"
                raise SourceError(f"{spelling}: no frame can be decoded ({why})")
        except BaseException:
            self.close()
            raise
        self.info = self._describe(self._container, spelling, first)
        self._frames = chain([first], self._frames)

    def __iter__(self) -> Iterator[Frame]:
        return self._frames

    def close(self) -> None:
        """Release the file."""
        self._frames = iter(())
        if self._container is not None:
            self._container.close()
        self._log.close()

    def _describe(self, container: InputContainer, spelling: str, first: Frame) -> SourceInfo:
        rate = self._stream.average_rate or self._stream.guessed_rate
        if self._clockless:
            rate = self._fps or rate
        length = promised_packets(container, self._stream)
        if length is None and container.duration is not None and rate:
            length = round(Fraction(container.duration, av.time_base) * rate)
        return SourceInfo(spelling, Path(spelling).stem, length=length, rate=rate, size=first.size)

    def _read(self, container: InputContainer) -> Iterator[Frame]:
        """Decoded frames and their places -> progressive frames -> images -> gaps marked."""
        gap = ""
        size = None
        pictures = Pictures()
        for decoded, place in progressive(Decoder(container, self._stream, self._log, self.health)):
            try:
                image = pictures.image(decoded, self._stream.codec_context.sample_aspect_ratio)
            except BROKEN as error:
                self.health.damaged += 1
                gap = f"frame {place.index} cannot be converted: {reason(error)}"
                continue
            gap = place.gap or gap or size_change(size, image)
            if gap:
                self.health.gaps += 1
                self.health.note(f"frame {place.index}: {gap}")
            size = image.shape
            self.health.decoded += 1
            yield Frame(place.index, image, self._time(place), gap or None, damaged=place.damaged)
            gap = ""

    def _time(self, place: Place) -> Fraction | None:
        if self._clockless:
            return place.index / self._fps if self._fps else None
        return place.time


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
        return av.open(f"file:{path}", metadata_errors="replace")  # "file:" lets names contain colons
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


def progressive(decoder: Decoder) -> Iterator[tuple[VideoFrame, Place]]:
    """Interlaced frames made progressive, each with its own place."""
    deinterlacer = Deinterlacer()
    waiting: deque[Place] = deque()  # places of the frames inside the deinterlacer
    size = None
    for frame, place in decoder:
        ready = []
        if place.gap or size != (frame.width, frame.height):
            ready = deinterlacer.drain()  # fields from both sides of a hole must not be mixed
        size = frame.width, frame.height
        waiting.append(place)
        for done in ready + deinterlacer.push(frame):
            yield done, waiting.popleft()
    for done in deinterlacer.drain():
        yield done, waiting.popleft()


def size_change(before: tuple[int, ...] | None, image: Image) -> str:
    """What to say if `image` has another shape than the one before it."""
    if before is None or before == image.shape:
        return ""
    return f"size changes from {before[1]}x{before[0]} to {image.shape[1]}x{image.shape[0]}"
