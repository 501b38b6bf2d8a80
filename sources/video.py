"""Video files: every frame that can be decoded, when it was taken, and what is missing."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
from av.video.frame import VideoFrame

from sources.reading.container import STDIN, open_container, sample, video_stream
from sources.reading.decode import BROKEN, Decoder, has_clock, promised_packets, reason
from sources.reading.ffmpeg_log import FfmpegLog
from sources.reading.levels import Levels, levels_of
from sources.reading.picture import Deinterlacer, Pictures, is_deep_grey, size_change
from sources.reading.spread import spread
from sources.reading.timeline import FramePosition
from streamflow.errors import SourceError, UsageError
from streamflow.values import Frame, Health, SourceInfo

SEEK_BACK = (0, 1, 10)  # seconds before the time sought: the nearest key frame may be shown after it

WITHOUT_TIMES = ("avi", "mpeg")  # when a frame is shown follows from the frames before it


class VideoSource:
    """Frames of a video file on the stream's own clock.

    Damaged packets are passed over and counted; a frame that follows a hole says so in its `gap`, one that
    came damaged, or was predicted from such a one, in `damaged`. Times that repeat are spread.

    Parameters
    ----------
    spec : str
        Path of the file, or "-" for a stream on standard input.
    fps : Fraction, optional
        Frames a second of raw streams, which have no clock of their own.
    levels : tuple of float, optional
        Values that become black and white, of grey video deeper than 8 bits; default: from a sample.
    health : Health, optional
        Where to count what happens, shared with the files that are read before.

    Raises
    ------
    UsageError
        The stream has a clock, or is not deep: the option is of no use.
    """

    def __init__(
        self,
        spec: str,
        *,
        fps: Fraction | None = None,
        levels: tuple[float, float] | None = None,
        health: Health | None = None,
    ) -> None:
        self.health = health or Health()
        self._spec, self._fps = spec, fps
        self._log = FfmpegLog()
        try:
            self._container = open_container(spec, self._log)
        except BaseException:
            self._log.close()
            raise
        try:
            self._stream = video_stream(self._container, spec)
            self._clockless = not has_clock(self._container)
            if fps is not None and not self._clockless:
                raise UsageError(f"{spec}: has a clock of its own; leave out fps")
            self._pictures = Pictures(self.health, self._levels(levels))
            self._frames = self._read(whole=True)
            first = next(self._frames, None)
            if first is None:
                why = self.health.notes[0] if self.health.notes else "the stream is empty"
                raise SourceError(f"{spec}: no frame can be decoded ({why})")
        except BaseException:
            self.close()
            raise
        self.info = self._describe(first)
        self._frames = chain([first], self._frames)

    def __iter__(self) -> Iterator[Frame]:
        return self._frames

    def close(self) -> None:
        """Release the file."""
        self._frames = iter(())
        self._container.close()
        self._log.close()

    def seek(self, time: Fraction) -> bool:
        """Go on at or before `time`, from a key frame; a stream without an index is begun again.

        Returns
        -------
        bool
            False: it cannot be sought in and goes on where it was.
        """
        time_base = self._stream.time_base
        if self._clockless or self._spec == STDIN or time_base is None:
            return False
        if self._container.format.name in WITHOUT_TIMES:
            return False
        for back in SEEK_BACK:
            with suppress(*BROKEN):
                self._container.seek(round((time - back) / time_base), stream=self._stream)
                frames = self._read(whole=False)
                first = next(frames, None)
                if first is not None and first.time is not None and first.time <= time:
                    self._frames = chain([first], frames)
                    return True
        self._container.close()
        self._container = open_container(self._spec, self._log)
        self._stream = video_stream(self._container, self._spec)
        self._frames = self._read(whole=True)
        return True

    def _levels(self, given: tuple[float, float] | None) -> Levels | None:
        if not is_deep_grey(self._stream.codec_context.format):
            if given is not None:
                raise UsageError(f"{self._spec}: is not deep grey video; leave out levels")
            return None
        if given is not None or self._spec == STDIN:
            return Levels(*given) if given else None
        return levels_of(sample(self._spec))

    def _describe(self, first: Frame) -> SourceInfo:
        rate = self._rate()
        length = promised_packets(self._container, self._stream)
        if length is None and self._container.duration is not None and rate:
            length = round(Fraction(self._container.duration, av.time_base) * rate)
        files = () if self._spec == STDIN else (self._spec,)
        stem = "stdin" if self._spec == STDIN else Path(self._spec).stem
        return SourceInfo(
            self._spec,
            stem,
            length=length,
            rate=rate,
            size=first.size,
            projection=self._pictures.projection,
            files=files,
        )

    def _rate(self) -> Fraction | None:
        rate = self._stream.average_rate or self._stream.guessed_rate
        return (self._fps or rate) if self._clockless else rate

    def _read(self, *, whole: bool) -> Iterator[Frame]:
        """Frames from here on; whether it is the `whole` file, whose promises can be held against it."""
        frames = self._decode(Decoder(self._container, self._stream, self._log, self.health, whole=whole))
        if self._clockless:
            return frames
        return spread(frames, self._rate(), self.health)

    def _decode(self, decoder: Decoder) -> Iterator[Frame]:
        """Decoded frames and their positions -> progressive frames -> images -> gaps marked."""
        gap = ""
        size = None
        for decoded, position in progressive(decoder):
            try:
                image = self._pictures.image(decoded, self._stream.codec_context.sample_aspect_ratio)
            except BROKEN as error:
                self.health.damaged += 1
                gap = f"frame {position.index} cannot be converted: {reason(error)}"
                continue
            gap = position.gap or gap or size_change(size, image)
            if gap:
                self.health.gaps += 1
                self.health.note(f"frame {position.index}: {gap}")
            size = image.shape
            self.health.decoded += 1
            yield Frame(position.index, image, self._time(position), gap or None, damaged=position.damaged)
            gap = ""

    def _time(self, position: FramePosition) -> Fraction | None:
        if self._clockless:
            return position.index / self._fps if self._fps else None
        return position.time


def progressive(decoder: Decoder) -> Iterator[tuple[VideoFrame, FramePosition]]:
    """Interlaced frames made progressive, each with its own position."""
    deinterlacer = Deinterlacer()
    waiting: deque[FramePosition] = deque()  # positions of the frames inside the deinterlacer
    size = None
    for frame, position in decoder:
        ready = []
        if position.gap or size != (frame.width, frame.height):
            ready = deinterlacer.drain()  # fields from both sides of a hole must not be mixed
        size = frame.width, frame.height
        waiting.append(position)
        for done in ready + deinterlacer.push(frame):
            yield done, waiting.popleft()
    for done in deinterlacer.drain():
        yield done, waiting.popleft()
