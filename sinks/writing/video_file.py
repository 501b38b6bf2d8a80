"""One video track in a file that survives a crash: what the sinks that write video share."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import av
from av.codec.codec import UnknownCodecError
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from numpy.typing import NDArray

from sinks.writing.clock import Clock
from sinks.writing.files import PartFile, reason
from sinks.writing.records import to_json
from sinks.writing.resume import refuse_another_run
from sinks.writing.sound import Sound
from streamflow.errors import SinkError

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.video.stream import VideoStream

    from sinks import Run
    from streamflow.values import FramePair

LONGEST_GAP = 2**31  # ticks; an mp4 with a longer one would be written, with wrong times
FRAGMENTED = ("mp4", "mov")
BT709 = 1  # as primaries and as transfer characteristic
FAULTS = (OSError, av.FFmpegError)


@dataclass(frozen=True)
class Encoding:
    """How pictures become a file."""

    container: str
    codec: str
    pixel_format: str
    options: Mapping[str, str]  # of the codec
    container_options: Mapping[str, str]
    ticks: int | None = None  # a second, where the container dictates them


class VideoFile:
    """Encodes pictures under a temporary name; `close` makes the file whole and gives it its own.

    After a fault what came before stays readable under the temporary name, and `close` says nothing:
    the first error is the one that counts.
    """

    def __init__(self, target: str, run: Run, encoding: Encoding, audio: str | None = None) -> None:
        self._file = PartFile(target, run)
        self._sound: Sound | None = None
        self._encoding = encoding
        self._clock = Clock(run.source)
        self._reformatter = VideoReformatter()
        self._container: OutputContainer | None = None
        self._stream: VideoStream | None = None
        self._size = (0, 0)
        self._ticks = 1
        self._last = -1
        self._time: Fraction | None = None  # of the last picture
        self._pictures = 0
        self._tag = None if run.source.live else to_json(run.provenance)
        self._owed = self._written_before(run) if run.resume else {}
        self.whole = True
        if audio is not None:
            self._sound = Sound(audio)

    def add(self, picture: NDArray[Any], layout: str, pair: FramePair) -> None:
        """Append `picture` of the pair's reference frame, pixels laid out as `layout` ("bgr24", ...)."""
        size = picture.shape[1], picture.shape[0]
        if self._container is None:
            self._open(size, pair)
        if size != self._size:
            raise self._fail(f"the picture changes from {_by(self._size)} to {_by(size)} pixels")
        frame = av.VideoFrame.from_numpy_buffer(picture, format=layout)  # uncopied: three times as fast
        frame.pts = self._next_tick(pair)
        frame.time_base = Fraction(1, self._ticks)
        with self._faults():
            self._mux(self._converted(frame))
            self._mux_sound(Fraction(self._last, self._ticks))
        self._pictures += 1

    def close(self) -> None:
        """Write what the encoder still holds, and give the file its name.

        A run that was to continue another and was interrupted before it came as far leaves that one's file.
        """
        if self._container is not None:
            with self._faults():
                self._mux(None)
                self._mux_sound(Fraction(self._last, self._ticks) + 1 / self._clock.rate)
                self._container.close()
            self._container = None
            if self._pictures < max(self._owed.values(), default=0):
                self._file.part.unlink()
            else:
                self._file.commit()
        if self._sound is not None:
            self._sound.close()

    def _written_before(self, run: Run) -> dict[Path, int]:
        """Pictures in the files that interrupted runs left."""
        counts = {}
        for path in (self._file.path, self._file.part):
            if path.exists():
                tag, counts[path] = read_back(path)
                if tag is not None:
                    refuse_another_run(path, tag, run)
                elif path == self._file.path:
                    raise SinkError(f"{path}: is not an output of streamflow; choose another name")
        return counts

    def _open(self, size: tuple[int, int], pair: FramePair) -> None:
        encoding = self._encoding
        self._size = size
        self._ticks = encoding.ticks or self._clock.ticks(pair)
        options = dict(encoding.container_options)
        if self._sound is not None:  # where the sound ends early, do not hold back pictures for more of it
            options["max_interleave_delta"] = "200000"  # microseconds
            if (
                encoding.container not in FRAGMENTED
            ):  # the sound of an mp4 begins below zero: do not move the pictures
                options["avoid_negative_ts"] = "disabled"
        if encoding.container in FRAGMENTED:
            options["movie_timescale"] = str(self._ticks)  # or the start is rounded to a millisecond
        if self._owed.get(self._file.part, 0) > self._owed.get(self._file.path, 0):
            self._file.promote()
        path = self._file.begin()
        with self._faults():
            # "file:" lets names contain colons.
            self._container = av.open(f"file:{path}", "w", format=encoding.container, options=options)
            if self._tag is not None:
                self._container.metadata["comment"] = self._tag
            self._stream = self._add_stream(self._container)
            if self._sound is not None:
                self._add_sound(self._container, self._sound)

    def _add_stream(self, container: OutputContainer) -> VideoStream:
        encoding = self._encoding
        stream = cast(
            "VideoStream",
            container.add_stream(encoding.codec, rate=self._clock.rate, options=dict(encoding.options)),
        )
        stream.width, stream.height = self._size
        stream.pix_fmt = encoding.pixel_format
        stream.time_base = stream.codec_context.time_base = Fraction(1, self._ticks)
        stream.codec_context.thread_count = 2  # each more holds back a picture, which a crash would lose
        if encoding.pixel_format == "yuv420p":
            context = stream.codec_context
            context.colorspace, context.color_range = Colorspace.ITU709, ColorRange.MPEG
            context.color_primaries = context.color_trc = BT709
        return stream

    def _add_sound(self, container: OutputContainer, sound: Sound) -> None:
        if sound.codec not in container.supported_codecs:
            what = f"sound in the format {sound.codec} does not fit in here; write .mkv instead"
            raise self._fail(what, flush=False)
        sound.add_to(container)

    def _mux_sound(self, time: Fraction) -> None:
        """Copy the sound up to `time`, and a packet more: pictures are held back until that is known."""
        assert self._container is not None
        if self._sound is not None:
            for packet in self._sound.until(time, self._clock.origin):
                self._container.mux_one(packet)

    def _converted(self, frame: av.VideoFrame) -> av.VideoFrame:
        if self._encoding.pixel_format == frame.format.name:
            return frame
        return self._reformatter.reformat(
            frame,
            format=self._encoding.pixel_format,
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
        )

    def _next_tick(self, pair: FramePair) -> int:
        time = self._clock.time(pair.reference)
        tick = round(time * self._ticks)
        if self._time is not None and time <= self._time:
            name, before = pair.reference.index, float(self._time)
            raise self._fail(f"frame {name}, {float(time):.6g} s, does not come after {before:.6g} s")
        self._time = time
        tick = max(tick, self._last + 1)  # a thousand frames a second and more: closer than the ticks
        if self._encoding.container in FRAGMENTED and 0 <= self._last < tick - LONGEST_GAP:
            raise self._fail(
                f"the frames are farther apart than an {self._encoding.container} can say; write .mkv instead"
            )
        self._last = tick
        return tick

    def _mux(self, frame: av.VideoFrame | None) -> None:
        assert self._stream is not None
        assert self._container is not None
        self._container.mux(self._stream.encode(frame))

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except UnknownCodecError as error:
            what = f"this build of PyAV cannot encode {self._encoding.codec}; try another ending"
            raise self._fail(what, flush=False) from error
        except FAULTS as error:
            raise self._fail(f"cannot be written: {reason(error)}", flush=False) from error

    def _fail(self, what: str, *, flush: bool = True) -> SinkError:
        """Save what can be saved; a second error on the way says nothing new.

        What the encoder still holds is not offered to a file that has just failed: libavformat crashes
        on that if it could not even write the header.
        """
        self.whole = False
        with suppress(*FAULTS):
            if flush:
                self._mux(None)
        with suppress(*FAULTS):
            if self._container is not None:
                self._container.close()
        self._container = None
        before = f"; what came before is in {self._file.part}" if self._file.holds_something() else ""
        return SinkError(f"{self._file.path}: {what}{before}")


def read_back(path: Path) -> tuple[dict[str, Any] | None, int]:
    """What the file at `path` says of the run that wrote it, None if nothing, and its number of pictures."""
    tag: dict[str, Any] | None = None
    pictures = 0
    with suppress(*FAULTS, ValueError), av.open(f"file:{path}") as container:
        words = {name.lower(): value for name, value in container.metadata.items()}
        tag = json.loads(words.get("comment", "null"))
        for packet in container.demux(video=0):
            pictures += packet.size > 0
    return (tag if isinstance(tag, dict) else None), pictures


def _by(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"
