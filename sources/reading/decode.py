"""Every decodable frame of a file: past bad packets, with the damage counted."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from sources.reading.error_propagation import ErrorPropagation
from sources.reading.ffmpeg_log import FfmpegLog
from sources.reading.timeline import FramePosition, Timeline
from streamflow.errors import SourceError
from streamflow.values import Health

COARSE = 10  # ticks an interval; with fewer, rounding makes the intervals visibly uneven
ATTEMPTS = 8  # read errors in a row after which the rest of a file is given up

# PyAV raises FFmpeg's errors as FFmpegError; a damaged header can also make its own checks fail.
BROKEN = (av.FFmpegError, ValueError, MemoryError)


class Decoder:
    """Decodes a stream to its end; what is damaged or missing goes to `health`.

    Damage shows in four ways, and none of them sees all of it: an exception, a frame or packet marked
    corrupt, a line in FFmpeg's log, and fewer frames than promised. The last is told of a `whole` file only,
    not of what is read after seeking.
    """

    def __init__(
        self,
        container: InputContainer,
        stream: VideoStream,
        log: FfmpegLog,
        health: Health,
        *,
        whole: bool = True,
    ) -> None:
        self._container, self._stream, self._log, self._health = container, stream, log, health
        self._whole = whole
        self._timeline = Timeline(container.format.name == "avi", coarse_grid(stream))
        self._propagation = ErrorPropagation()
        self._hurt: deque[Fraction] = deque(maxlen=64)  # times that were counted as damaged

    def __iter__(self) -> Iterator[tuple[VideoFrame, FramePosition]]:
        self._listen_to_probing()
        for packet in self._packets():
            for frame in self._decode(packet):
                time = seconds(frame.pts, self._stream.time_base)  # frames of the flush have no base
                if frame.is_corrupt:
                    self._damaged(time, "only in part")
                damaged = self._propagation.reaches(time)
                position = replace(self._timeline.place(time), damaged=damaged)
                self._health.missing += position.lost
                yield frame, position
        if self._whole:
            self._health.missing += self._timeline.missing_at_end(
                promised_packets(self._container, self._stream), promised_end(self._container, self._stream)
            )

    def _packets(self) -> Iterator[Packet[VideoStream] | None]:
        """Packets to the end of the file, read errors passed over; then None, which flushes the decoder."""
        failures = 0
        while failures < ATTEMPTS:
            try:
                for packet in self._container.demux(self._stream):
                    if packet.size:
                        failures = 0
                        self._check_packet(packet)
                        yield packet
                break
            except IndexError:  # PyAV's flush trips over a stream that appeared on the way
                break
            except BROKEN as error:
                failures += 1
                self._damaged(None, reason(error), torn=True)
        self._listen(None, torn=True)
        if ends_within_a_packet(self._container):
            self._damaged(None, "the file ends within a transport packet", torn=True)
        yield None

    def _check_packet(self, packet: Packet[VideoStream]) -> None:
        time = due(packet)
        if packet.has_sidedata("encryption_info"):
            raise SourceError(f"{self._container.name.removeprefix('file:')}: is encrypted")
        if packet.is_corrupt:
            self._damaged(time, "packet is corrupt", torn=True)
        if self._container.format.name == "gif" and packet.size > 2 * self._pixels() + 4096:
            self._damaged(time, "packet holds more than its picture", torn=True)  # the rest, after a hole
        self._listen(time, torn=True)
        self._propagation.packet(time, key=packet.is_keyframe and not packet.is_corrupt)
        if not packet.is_discard:
            self._timeline.promise(time)
        else:
            self._timeline.packets += 1

    def _pixels(self) -> int:
        return self._stream.codec_context.width * self._stream.codec_context.height

    def _decode(self, packet: Packet[VideoStream] | None) -> list[VideoFrame]:
        time = None if packet is None else due(packet)
        try:
            frames = self._stream.decode(packet)
        except EOFError:  # flushed before
            frames = []
        except BROKEN as error:
            self._damaged(time, reason(error))
            frames = []
        self._listen(time, torn=False)
        return frames

    def _listen_to_probing(self) -> None:
        """What was said when the file was opened: the demuxer will not say it again, the decoder will."""
        for name, line in self._log.take():
            if name == self._container.format.name:
                self._damaged(None, line, torn=True)
            elif name == self._stream.codec_context.name:
                self._timeline.damage(torn=True)

    def _listen(self, time: Fraction | None, torn: bool) -> None:
        for name, line in self._log.take():
            if name in (self._container.format.name, self._stream.codec_context.name):
                self._damaged(time, line, torn)

    def _damaged(self, time: Fraction | None, why: str, torn: bool = False) -> None:
        self._timeline.damage(torn)
        self._propagation.damage(None if torn else time)
        if time is not None and time in self._hurt:
            return
        if time is not None:
            self._hurt.append(time)
        self._health.damaged += 1
        self._health.note(f"damaged{'' if time is None else f' at {float(time):.2f} s'}: {why}")


def seconds(ticks: int | None, time_base: Fraction | None) -> Fraction | None:
    """A timestamp as exact seconds."""
    return None if ticks is None or time_base is None else ticks * time_base


def due(packet: Packet[VideoStream]) -> Fraction | None:
    """When the frame of `packet` is shown, in seconds, if that is known; else when it is decoded."""
    return seconds(packet.pts if packet.pts is not None else packet.dts, packet.time_base)


def coarse_grid(stream: VideoStream) -> tuple[Fraction, Fraction] | None:
    """(interval, tick) in seconds, where the ticks are too coarse for intervals so short."""
    if not stream.average_rate or not stream.time_base:
        return None
    interval = 1 / Fraction(stream.average_rate)
    return (interval, stream.time_base) if stream.time_base > interval / COARSE else None


def has_clock(container: InputContainer) -> bool:
    """Whether its timestamps are its own; FFmpeg invents 25 frames a second for raw streams."""
    return not container.format.flags & 0x80  # AVFMT_NOTIMESTAMPS


def ends_within_a_packet(container: InputContainer) -> bool:
    """Whether an MPEG transport stream was cut off: its last 188 bytes are no packet (204 with parity)."""
    path = Path(container.name.removeprefix("file:"))
    if container.format.name != "mpegts" or not path.is_file():
        return False
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 204))
        tail = file.read()
    return 0x47 not in (tail[-188:][0], tail[0])


def reason(error: BaseException) -> str:
    """What went wrong in a few words, without the file's name."""
    return getattr(error, "strerror", None) or str(error).partition("\n")[0] or type(error).__name__


def promised_packets(container: InputContainer, stream: VideoStream) -> int | None:
    """How many packets the file says it has."""
    if not stream.frames:
        return None
    if "mp4" in container.format.name:
        return len(stream.index_entries)  # an edit list leaves some of the stored frames out
    return stream.frames


def promised_end(container: InputContainer, stream: VideoStream) -> Fraction | None:
    """When the file says its video ends."""
    start = seconds(stream.start_time, stream.time_base) or Fraction(0)
    if stream.duration is not None and stream.time_base is not None:
        return start + stream.duration * stream.time_base
    if len(container.streams) == 1 and container.duration is not None:
        return start + Fraction(container.duration, av.time_base)
    return None
