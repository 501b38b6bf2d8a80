"""Bags of ROS 1 and ROS 2: the pictures of one topic, with the times and the calibration of their camera."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sources.calibration.keyed import cameras
from sources.reading.bag_files import bag_and_topic, bag_files
from sources.reading.image_file import Unreadable
from sources.reading.levels import EightBits, Levels
from sources.reading.picture import size_change
from sources.reading.ros_bag import camera_info, connections_of_pictures, messages, open_bag, raw
from sources.reading.ros_image import pixels_of
from sources.reading.spread import spread
from sources.reading.timeline import Timeline
from streamflow.errors import SourceError, UsageError
from streamflow.geometry.camera import Calibration
from streamflow.values import Frame, Health, SourceInfo

SECOND = 10**9  # nanoseconds
SAMPLES = 9  # pictures looked at to find the levels of deep ones


class BagSource:
    """The pictures of a topic at the times in their headers, or of their recording where these are empty.

    Parameters
    ----------
    spec : str
        The bag, and after a colon the topic if it has several of pictures: "drive.mcap:/camera/image_raw".
    levels : tuple of float, optional
        Values that become black and white, of pictures deeper than 8 bits; default: from a sample.
    """

    def __init__(self, spec: str, *, levels: tuple[float, float] | None = None) -> None:
        path, topic = bag_and_topic(spec)
        self.health = Health()
        self._reader = open_bag(path)
        self._frames: Iterator[Frame] = iter(())
        try:
            self._connections = connections_of_pictures(self._reader, path, topic)
            self._8_bits = EightBits(self.health, None if levels is None else Levels(*levels), self._sample)
            frames = self._read(None)
            first = next(frames, None)
            if first is None:
                why = self.health.notes[0] if self.health.notes else "the topic is empty"
                raise SourceError(f"{spec}: no picture can be read ({why})")
            if levels is not None and not self._8_bits.deep:
                raise UsageError(f"{spec}: its pictures are 8 bits deep; leave out levels")
            self.info = self._describe(spec, Path(path), first)
        except BaseException:
            self.close()
            raise
        self._first = first
        self._frames = spread(chain([first], frames), self.info.rate, self.health)

    def __iter__(self) -> Iterator[Frame]:
        return self._frames

    def close(self) -> None:
        """Release the bag."""
        self._frames = iter(())
        if self._reader.stack is not None:
            self._reader.close()

    def seek(self, time: Fraction) -> bool:
        """Go on a second before `time`, for pictures are recorded later than they are taken."""
        assert self._first.time is not None
        start = self._reader.start_time + int((time - self._first.time - 1) * SECOND)
        self._frames = spread(self._read(start), self.info.rate, self.health)
        return True

    def _read(self, start: int | None) -> Iterator[Frame]:
        """Frames from `start` on, in nanoseconds of the recorder's clock."""
        timeline, gap, size = Timeline(), "", None
        for recorded, message in messages(self._reader, self._connections, self.health, start):
            position = timeline.place(Fraction(_taken(message) or recorded, SECOND))
            try:
                image = self._8_bits(pixels_of(message))
            except Unreadable as error:
                self.health.damaged += 1
                gap = f"picture {position.index} cannot be read: {error}"
                self.health.note(gap)
                continue
            gap = position.gap or gap or size_change(size, image)
            if gap:
                self.health.gaps += 1
                self.health.note(f"frame {position.index}: {gap}")
            size = image.shape
            self.health.decoded += 1
            yield Frame(position.index, image, position.time, gap or None)
            gap = ""

    def _sample(self) -> Iterator[NDArray[Any]]:
        """Pictures spread over the bag."""
        for share in range(SAMPLES):
            start = self._reader.start_time + share * self._reader.duration // SAMPLES
            found = messages(self._reader, self._connections, Health(), start)
            with suppress(Unreadable, StopIteration):
                yield pixels_of(next(found)[1])

    def _describe(self, spec: str, path: Path, first: Frame) -> SourceInfo:
        count = sum(connection.msgcount for connection in self._connections)
        rate = Fraction((count - 1) * SECOND, self._reader.duration) if count > 1 else None
        info = SourceInfo(
            spec,
            path.stem,
            length=count,
            rate=rate and rate.limit_denominator(1000),
            size=first.size,
            files=bag_files(path),
        )
        camera = self._camera(first.size)
        if camera is None:
            return info
        return replace(
            info, camera_matrix=camera.matrix, distortion=camera.distortion, fisheye=camera.fisheye
        )

    def _camera(self, size: tuple[int, int]) -> Calibration | None:
        """The camera as the bag describes it; None where it does not, or in a way that is not known."""
        topic = self._connections[0].topic
        message = camera_info(self._reader, topic)
        try:
            found = None if message is None else next(cameras(_described(message, topic), topic), None)
            return found if found is None else found.scaled_to(size)
        except UsageError as error:
            self.health.note(f"its camera_info is left out: {error}")
            return None


def _taken(message: Any) -> int:
    """Nanoseconds in the header; 0 where nobody wrote it."""
    return int(message.header.stamp.sec) * SECOND + int(message.header.stamp.nanosec)


def _described(message: Any, topic: str) -> dict[str, Any]:
    """What a sensor_msgs/CameraInfo says, in the words of calibration files; ROS 1 has capital letters."""
    said = {name.lower(): value for name, value in vars(message).items()}
    if not said["k"][0]:  # nobody calibrated it
        return {}
    size = {"width": int(message.width), "height": int(message.height)}
    if "rect" in raw(topic).rpartition("/")[2]:
        return {**size, "k": np.reshape(said["p"], (3, 4))[:, :3]}
    return {**size, "k": said["k"], "d": said["d"], "distortion_model": message.distortion_model}
