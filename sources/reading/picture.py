"""Decoded video frames as the program's images: progressive, square pixels, upright, BGR."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import av
import cv2
import numpy as np
from av.filter import Graph
from av.sidedata.sidedata import Type
from av.video.format import VideoFormat
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from sources.reading.levels import Levels, levels_of
from streamflow.values import Health, Image

# FFmpeg's numbers of the ways to show all directions.
PROJECTIONS = {
    0: "equirectangular",
    1: "cubemap",
    2: "equirectangular in tiles",
    3: "half equirectangular",
    4: None,  # flat
    5: "fisheye",
}

# Beyond these a pixel aspect is a damaged header rather than a camera.
PLAUSIBLE_ASPECT = (Fraction(1, 4), Fraction(4))


class Pictures:
    """Converts frames of one stream; keeps the scaler, which is costly to set up.

    Deep grey video is mapped to 8 bits by `levels`, or by those of its first frame if none are given.
    """

    def __init__(self, health: Health, levels: Levels | None = None) -> None:
        self._reformatter = VideoReformatter()
        self._health, self._levels = health, levels
        self.projection: str | None = None  # of the last picture, if it is not flat

    def image(self, frame: VideoFrame, aspect: Fraction | None) -> Image:
        """(H, W, 3) uint8 BGR of `frame`, whose pixels are `aspect` times as wide as high."""
        self.projection = projection(frame)
        size = square_pixels(frame.width, frame.height, aspect)
        if is_deep_grey(frame.format):
            return upright(self._deep(frame, size), display_matrix(frame))
        try:
            bgr = self._bgr(frame, size)
        except av.FFmpegError:  # colours of a kind that it cannot convert, or a damaged tag
            frame.colorspace, frame.color_range = Colorspace.DEFAULT, ColorRange.UNSPECIFIED
            bgr = self._bgr(frame, size)
        return upright(bgr, display_matrix(frame))

    def _bgr(self, frame: VideoFrame, size: tuple[int, int]) -> Image:
        bgr = self._reformatter.reformat(frame, *size, "bgr24", interpolation=Interpolation.BICUBIC)
        return np.asarray(bgr.to_ndarray(), np.uint8)

    def _deep(self, frame: VideoFrame, size: tuple[int, int]) -> Image:
        pixels = frame.to_ndarray()
        if self._levels is None:
            self._levels = levels_of([pixels])
        self._health.note(f"{frame.format.name} video, {self._levels} shown as black to white (see levels)")
        grey = cv2.resize(self._levels.to_8_bits(pixels), size, interpolation=cv2.INTER_CUBIC)
        return np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), np.uint8)


def is_deep_grey(video_format: VideoFormat | None) -> bool:
    """Whether pictures have one channel of more than 8 bits: a sensor's own values, at any scale."""
    if video_format is None or len(video_format.components) != 1:
        return False
    return video_format.components[0].bits > 8


def square_pixels(width: int, height: int, aspect: Fraction | None) -> tuple[int, int]:
    """Size with square pixels: one side grows, so that no detail is lost."""
    if not aspect or not PLAUSIBLE_ASPECT[0] <= aspect <= PLAUSIBLE_ASPECT[1]:
        return width, height
    if aspect > 1:
        return round(width * aspect), height
    return width, round(height / aspect)


def size_change(before: tuple[int, ...] | None, image: Image) -> str:
    """What to say if `image` has another shape than the one before it."""
    if before is None or before == image.shape:
        return ""
    return f"size changes from {before[1]}x{before[0]} to {image.shape[1]}x{image.shape[0]}"


def display_matrix(frame: VideoFrame) -> list[int] | None:
    """[a, b, c, d] of the rotation tag, by which (x, y) is shown at (a x + c y, b x + d y)."""
    found = _side_data(frame, Type.DISPLAYMATRIX)
    return None if found is None else [found[i] for i in (0, 1, 3, 4)]


def projection(frame: VideoFrame) -> str | None:
    """How the frame shows the directions around the camera; None: flat, as far as the file tells."""
    found = _side_data(frame, Type.SPHERICAL)
    return None if found is None else PROJECTIONS.get(found[0], f"number {found[0]}")


def _side_data(frame: VideoFrame, kind: Type) -> list[int] | None:
    """Whole numbers of 32 bits."""
    side_data: Any = frame.side_data  # a container of buffers, whatever its stub says
    found = next((bytes(data) for data in side_data if data.type is kind), None)
    return None if found is None else np.frombuffer(found[: len(found) // 4 * 4], np.int32).tolist()


def upright(image: Image, matrix: list[int] | None) -> Image:
    """`image` turned and mirrored by the nearest multiple of a right angle."""
    if matrix is None:
        return image
    a, b, c, d = matrix
    if abs(b) + abs(c) > abs(a) + abs(d):
        image, a, d = np.swapaxes(image, 0, 1), c, b
    if a < 0:
        image = image[:, ::-1]
    if d < 0:
        image = image[::-1]
    return np.ascontiguousarray(image)


class Deinterlacer:
    """Makes one progressive frame of each interlaced one; progressive video passes untouched."""

    def __init__(self) -> None:
        self._graph: Graph | None = None
        self._count = 0

    def push(self, frame: VideoFrame) -> list[VideoFrame]:
        """Frames that are ready; the filter needs the next frame too, so it lags by one."""
        if self._graph is None and not (frame.interlaced_frame and min(frame.width, frame.height) >= 8):
            return [frame]
        if self._graph is None:
            self._graph = bwdif(frame)
        frame.pts, frame.time_base = self._count, Fraction(1, 25)  # the filter is not to judge by time
        self._count += 1
        self._graph.vpush(frame)
        return pull(self._graph)

    def drain(self) -> list[VideoFrame]:
        """Frames still inside; the next frame starts afresh."""
        if self._graph is None:
            return []
        self._graph.vpush(None)
        frames, self._graph = pull(self._graph), None
        return frames


def bwdif(like: VideoFrame) -> Graph:
    """FFmpeg's best deinterlacer for frames such as `like`."""
    graph = Graph()
    source = graph.add_buffer(
        width=like.width, height=like.height, format=like.format, time_base=Fraction(1, 25)
    )
    graph.link_nodes(
        source, graph.add("bwdif", "mode=send_frame:deint=interlaced"), graph.add("buffersink")
    ).configure()
    return graph


def pull(graph: Graph) -> list[VideoFrame]:
    """Frames that `graph` has ready."""
    frames = []
    while True:
        try:
            frames.append(graph.vpull())
        except (BlockingIOError, EOFError):
            return frames
