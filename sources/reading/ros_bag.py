"""A ROS bag as it is opened: its topics of pictures, and their messages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sources.reading.decode import reason
from streamflow.errors import SourceError
from streamflow.extras import extra
from streamflow.values import Health

if TYPE_CHECKING:
    from rosbags.highlevel import AnyReader
    from rosbags.interfaces import Connection

PICTURES = ("sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage")
CAMERA_INFO = "sensor_msgs/msg/CameraInfo"
COMPRESSED = "/compressed"  # ends the topic of what another one holds raw
COMPRESSED_DEPTH = "/compressedDepth"  # no format of pictures


def open_bag(path: str) -> AnyReader:
    """Open a bag of ROS 1, or a file or folder of ROS 2.

    Raises
    ------
    SourceError
        There is no such bag, or it cannot be read.
    """
    with extra("ros", path, SourceError):
        from rosbags.highlevel import AnyReader
        from rosbags.typesys import Stores, get_typestore
    if not Path(path).exists():
        raise SourceError(f"{path}: no such file")
    try:
        # Older bags do not tell what their messages are made of.
        reader = AnyReader([Path(path)], default_typestore=get_typestore(Stores.LATEST))
        reader.open()
    except Exception as error:  # damaged files bring out every kind of error in the reader
        raise SourceError(f"{path}: cannot be read as a ROS bag ({reason(error)})") from error
    return reader


def connections_of_pictures(reader: AnyReader, path: str, topic: str) -> list[Connection]:
    """Connections of `topic`, or of the only one of pictures.

    Raises
    ------
    SourceError
        There is none, or it is not clear which is meant.
    """
    found = [
        connection
        for connection in reader.connections
        if connection.msgtype in PICTURES and not connection.topic.endswith(COMPRESSED_DEPTH)
    ]
    topics = sorted({connection.topic for connection in found})
    if not topics:
        others = ", ".join(sorted({connection.topic for connection in reader.connections})) or "nothing"
        raise SourceError(f"{path}: has no topic of pictures, but {others}")
    if topic and topic not in topics:
        raise SourceError(f"{path}: has no pictures on {topic}, but on {', '.join(topics)}")
    # Of one picture that was sent raw and compressed, the raw one is read.
    meant = [topic] if topic else [t for t in topics if t == raw(t) or raw(t) not in topics]
    if len(meant) > 1:
        ways = " or ".join(f"{path}:{t}" for t in meant)
        raise SourceError(f"{path}: holds {len(meant)} topics of pictures; say which: {ways}")
    return [connection for connection in found if connection.topic == meant[0]]


def raw(topic: str) -> str:
    """The topic whose pictures `topic` has."""
    return topic.removesuffix(COMPRESSED)


def camera_info(reader: AnyReader, topic: str) -> Any | None:
    """The first message beside `topic` that describes its camera; None if there is none."""
    beside = raw(topic).rpartition("/")[0] + "/camera_info"
    connections = [c for c in reader.connections if (c.topic, c.msgtype) == (beside, CAMERA_INFO)]
    found = messages(reader, connections, Health()) if connections else iter(())
    return next((message for _, message in found), None)


def messages(
    reader: AnyReader, connections: Sequence[Connection], health: Health, start: int | None = None
) -> Iterator[tuple[int, Any]]:
    """(nanoseconds of the recorder's clock, message) from `start` on; `health` is told if it breaks off."""
    try:
        for connection, recorded, data in reader.messages(connections, start=start):
            yield recorded, reader.deserialize(data, connection.msgtype)
    except Exception as error:  # damaged files bring out every kind of error in the reader
        health.damaged += 1
        health.note(f"the bag cannot be read on: {reason(error)}")
