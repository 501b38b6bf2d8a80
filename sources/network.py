"""Network cameras and streams, through FFmpeg."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import PurePosixPath
from urllib.parse import urlsplit

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from sources.reading.decode import BROKEN, due, has_clock, reason, seconds
from sources.reading.error_propagation import ErrorPropagation
from sources.reading.ffmpeg_log import FfmpegLog
from sources.reading.live import GIVE_UP, Capture, Disconnected, LiveSource
from sources.reading.picture import Pictures
from streamflow.values import Health

TIMEOUT = (5.0, 3.0)  # seconds to open, and to wait for the next packet

# A second is enough to find out what the stream holds.
OPTIONS = {"analyzeduration": "1000000"}


class NetworkSource(LiveSource):
    """A camera or stream at a URL; reconnects when it stalls or dies.

    Parameters
    ----------
    spec : str
        The URL.
    every_frame : bool
        Make the camera wait instead of dropping frames.
    timeout : tuple of float
        Seconds to open, and to wait for the next packet.
    give_up : float
        Seconds without a frame after which it counts as gone.
    """

    def __init__(
        self,
        spec: str,
        *,
        every_frame: bool = False,
        timeout: tuple[float, float] = TIMEOUT,
        give_up: float = GIVE_UP,
    ) -> None:
        address = urlsplit(spec)
        super().__init__(
            without_password(spec),
            PurePosixPath(address.path).stem or address.hostname or "stream",
            lambda: NetworkStream(spec, timeout, self.health),
            every_frame=every_frame,
            give_up=give_up,
            join=sum(timeout),
        )


def without_password(url: str) -> str:
    """`url` as it may appear in messages and files."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


class NetworkStream:
    """One connection to a URL.

    A stream of known duration is a file that is read over the network: it has an end, and every frame counts.
    """

    def __init__(self, url: str, timeout: tuple[float, float], health: Health) -> None:
        self._health = health
        self._log = FfmpegLog()
        try:
            self._container = open_stream(url, timeout)
        except BROKEN as error:
            self._log.close()
            raise Disconnected(explained(error)) from error
        streams = self._container.streams.video
        if not streams or streams[0].codec_context is None:
            self.close()
            raise Disconnected("has no video that can be decoded")
        self._stream = streams[0]
        self.live = self._container.duration is None
        self._clock = has_clock(self._container)
        self.rate = self._stream.average_rate if self._clock else None

    def __iter__(self) -> Iterator[Capture]:
        pictures, propagation, gap = Pictures(self._health), ErrorPropagation(), ""
        for packet in self._packets():
            time = due(packet)
            propagation.packet(time, key=packet.is_keyframe and not packet.is_corrupt)
            try:
                if packet.is_corrupt and self._stream.codec_context.codec.intra_only:
                    raise ValueError("half a picture")  # cut off with its connection
                frames = packet.decode()
                if self._complains():
                    self._health.damaged += 1
                    propagation.damage(time)
                for frame in frames:
                    shown = seconds(frame.pts, self._stream.time_base)
                    if frame.is_corrupt and not propagation.reaches(shown):
                        self._health.damaged += 1
                        propagation.damage(shown)
                    image = pictures.image(frame, self._stream.codec_context.sample_aspect_ratio)
                    yield Capture(image, shown if self._clock else None, gap, propagation.reaches(shown))
                    gap = ""
            except BROKEN as error:
                self._health.damaged += 1
                propagation.damage(time)
                gap = f"a frame cannot be decoded: {reason(error)}"

    def _complains(self) -> bool:
        """Whether the decoder said something since the last call."""
        return any(name == self._stream.codec_context.name for name, _ in self._log.take())

    def _packets(self) -> Iterator[Packet[VideoStream]]:
        try:
            yield from self._container.demux(self._stream)
        except BROKEN as error:
            raise Disconnected(explained(error)) from error

    def close(self) -> None:
        """Disconnect."""
        self._container.close()
        self._log.close()


def open_stream(url: str, timeout: tuple[float, float]) -> InputContainer:
    """Open a URL; RTSP over TCP, which loses no packets, or over UDP where the camera knows nothing else."""
    try:
        options = {**OPTIONS, "rtsp_flags": "prefer_tcp"}
        return av.open(url, timeout=timeout, options=options, metadata_errors="replace")
    except av.error.HTTPBadRequestError:
        if not url.startswith("rtsp"):
            raise
        return av.open(url, timeout=timeout, options=dict(OPTIONS), metadata_errors="replace")


def explained(error: BaseException) -> str:
    """What happened to a connection in a few words."""
    if isinstance(error, av.error.ExitError):  # FFmpeg's word for a timeout
        return "no answer within the timeout"
    if isinstance(error, OSError) and error.errno == errno.EIO:  # of a server that cannot seek
        return "cannot be read on; if it is an mp4 with its index at the end, download it first"
    return reason(error)
