"""Clips and images whose every frame carries its number, and ways to damage them."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from sources.video import VideoSource
from streamflow.values import Frame, Health, Image

RATE = 25
BITS = 8
QUICK_VP9 = {"deadline": "realtime", "cpu-used": "8"}
QUIET_265 = {"x265-params": "log-level=none"}


def picture(number: int, size: tuple[int, int] = (96, 64)) -> Image:
    """Noise over a gradient, with `number` in binary along the top, readable after any lossy coding."""
    width, height = size
    y, x = np.mgrid[:height, :width]
    image = np.stack([60 + 120 * x / width, 60 + 120 * y / height, 90 + 0 * x], axis=2)
    image += np.random.default_rng(number).integers(-25, 25, (height, width, 1))  # so that no packet is tiny
    image = image.astype(np.uint8)
    for bit in range(BITS):
        left, right = width * bit // BITS, width * (bit + 1) // BITS
        image[: height // 4, left:right] = 230 if number >> bit & 1 else 25
    return image


def number(image: Image) -> int:
    """The number that `picture` wrote."""
    height, width = image.shape[:2]
    row = image[height // 16 : height * 3 // 16].mean(axis=(0, 2))
    centres = [width * (2 * bit + 1) // (2 * BITS) for bit in range(BITS)]
    return sum(int(row[c - 1 : c + 2].mean() > 128) << bit for bit, c in enumerate(centres))


def numbers(frames: Iterable[Frame]) -> list[int]:
    return [number(frame.image) for frame in frames]


def times(frames: Sequence[Frame]) -> list[Fraction]:
    """Seconds, of frames that all have a time."""
    found = [frame.time for frame in frames if frame.time is not None]
    assert len(found) == len(frames)
    return found


def write_clip(
    path: Path,
    codec: str = "libx264",
    *,
    count: int = 30,
    pix_fmt: str = "yuv420p",
    size: tuple[int, int] = (96, 64),
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
    ticks: Sequence[int] | None = None,
    draw: Callable[[int], Image] | None = None,
    prepare: Callable[[av.VideoStream], object] = lambda stream: None,
) -> Path:
    """Encode `count` pictures; `ticks` are their times in units of 1/`RATE` s."""
    with av.open(str(path), "w", options=container_options or {}) as container:
        stream = container.add_stream(codec, rate=RATE, options=options or {})
        stream.width, stream.height, stream.pix_fmt = size[0], size[1], pix_fmt
        prepare(stream)
        for i in range(count):
            image = picture(i, size) if draw is None else draw(i)
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), "bgr24").reformat(format=pix_fmt)
            frame.pts, frame.time_base = ticks[i] if ticks else i, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def cut(path: Path, share: float) -> Path:
    """Leave only the first `share` of the file."""
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def zero_hole(path: Path, start: int, length: int) -> Path:
    data = bytearray(path.read_bytes())
    data[start : start + length] = bytes(len(data[start : start + length]))
    path.write_bytes(data)
    return path


def flip_bits(path: Path, count: int, seed: int, start: float = 0.0) -> Path:
    """Flip `count` bits beyond the first `start` of the file."""
    data: NDArray[np.uint8] = np.frombuffer(path.read_bytes(), np.uint8).copy()
    rng = np.random.default_rng(seed)
    places = rng.integers(int(len(data) * start), len(data), count)
    data[places] ^= (1 << rng.integers(0, 8, count)).astype(np.uint8)
    path.write_bytes(data.tobytes())
    return path


def packet_bytes(path: Path) -> list[tuple[int, int]]:
    """(position, size) of every video packet."""
    with av.open(str(path)) as container:
        return [(p.pos or 0, p.size) for p in container.demux(video=0) if p.size]


def plain_count(path: Path) -> int:
    """Frames that PyAV gives when every packet is decoded by itself; 0 if it cannot open the file."""
    count = 0
    # PyAV's demuxer ends with an IndexError if a stream appeared on the way.
    with suppress(av.FFmpegError, IndexError), av.open(str(path), metadata_errors="replace") as container:
        for packet in container.demux(video=0) if container.streams.video else ():
            with suppress(av.FFmpegError):
                count += len(packet.decode())
    return count


def read(path: Path, fps: Fraction | None = None) -> tuple[list[Frame], Health]:
    source = VideoSource(str(path), fps=fps)
    frames = list(source)
    source.close()
    return frames, source.health


def ticks(frames: list[Frame]) -> list[Fraction]:
    """Times since the first frame in units of 1/RATE s."""
    return [(time - times(frames)[0]) * RATE for time in times(frames)]


def trimmed(path: Path) -> Path:
    """A clip whose edit list leaves out the first ten frames, which decoding needs, and the last ten."""
    write_clip(path, options={"bf": "0"})
    data = bytearray(path.read_bytes())
    at = data.index(b"elst") + 12  # version and flags, count, then duration, media time
    assert struct.unpack(">Ii", data[at : at + 8]) == (1200, 0)
    data[at : at + 8] = struct.pack(">Ii", 400, 10 * 512)
    path.write_bytes(data)
    return path
