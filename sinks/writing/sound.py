"""The sound of the source's file, copied as it is beside the pictures made of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from fractions import Fraction
from io import BytesIO
from typing import TYPE_CHECKING

import av
from av.bitstream import BitStreamFilterContext

from streamflow.errors import UsageError

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import OutputContainer
    from av.packet import Packet


def codec_of_sound(path: str) -> str | None:
    """Return the format of the first sound track of a file; None if there is none that can be read."""
    try:
        with closing(Sound(path)) as sound:
            return sound.codec
    except UsageError:
        return None


def holds_sound(container: str, codec: str) -> bool:
    """Whether a file of the format `container`, such as "mp4", can hold sound of the format `codec`."""
    with av.open(BytesIO(), "w", format=container) as trial:
        return codec in trial.supported_codecs


class Sound:
    """Packets of the first sound track of a file, handed out as far as the pictures have come."""

    def __init__(self, path: str) -> None:
        try:
            self._container = av.open(f"file:{path}", metadata_errors="replace")
        except (OSError, av.FFmpegError) as error:
            raise UsageError(f"{path}: its sound cannot be read; leave out --audio") from error
        if not self._container.streams.audio:
            self._container.close()
            raise UsageError(f"{path}: has no sound; leave out --audio")
        self._template = self._container.streams.audio[0]
        # Transport streams repeat a header in every packet of AAC; files say it once.
        repeats = self.codec == "aac" and not self._template.codec_context.extradata
        self._filter = BitStreamFilterContext("aac_adtstoasc", self._template) if repeats else None
        self._packets = self._read()

    @property
    def codec(self) -> str:
        """Its format, such as "aac"."""
        return self._template.codec_context.codec.canonical_name

    def add_to(self, container: OutputContainer) -> None:
        """Make a track for the sound; before the container's first packet."""
        self._track = container.add_stream_from_template(self._template)

    def until(self, time: Fraction, origin: Fraction) -> Iterator[Packet[AudioStream]]:
        """Yield the packets that begin up to `time`, and one more; `origin` is the zero of the pictures.

        A muxer holds back the pictures until it knows that no earlier sound is to come.
        """
        for packet in self._packets:
            assert packet.pts is not None and packet.dts is not None and packet.time_base is not None
            shift = round(origin / packet.time_base)
            packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
            packet.stream = self._track
            beyond = packet.pts * packet.time_base > time
            yield packet
            if beyond:
                return

    def close(self) -> None:
        """Release the file."""
        self._container.close()

    def _read(self) -> Iterator[Packet[AudioStream]]:
        """Whole packets; damage is passed over, as it is in the pictures."""
        packets = self._container.demux(self._template)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av.error.InvalidDataError:
                packets = self._container.demux(self._template)
                continue
            if packet.dts is not None and packet.pts is not None:
                yield from self._without_headers(packet)

    def _without_headers(self, packet: Packet[AudioStream]) -> list[Packet[AudioStream]]:
        return [packet] if self._filter is None else self._filter.filter(packet)
