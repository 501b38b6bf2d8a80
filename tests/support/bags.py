"""ROS bags as robots record them."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any

import cv2
import numpy as np
from rosbags.rosbag1 import Writer as Writer1
from rosbags.rosbag2 import StoragePlugin
from rosbags.rosbag2 import Writer as Writer2
from rosbags.typesys import Stores, get_typestore

from streamflow.values import Image, Matrix

SECOND = 10**9
LATE = 3 * 10**6  # nanoseconds after they are taken in which pictures arrive at the recorder


class BagWriter:
    """Writes pictures at 25 a second: for ROS 1 if the path ends with .bag, else a folder for ROS 2."""

    def __init__(self, path: Path, storage: StoragePlugin = StoragePlugin.MCAP, start: float = 100.0) -> None:
        self._is_1 = path.suffix == ".bag"
        self._types = get_typestore(Stores.ROS1_NOETIC if self._is_1 else Stores.ROS2_HUMBLE)
        self._writer: Any = Writer1(path) if self._is_1 else Writer2(path, version=9, storage_plugin=storage)
        self._connections: dict[str, Any] = {}
        self._start = round(start * SECOND)

    def __enter__(self) -> BagWriter:
        self._writer.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()

    def image(self, topic: str, number: int, image: Any, encoding: str = "bgr8", **other: Any) -> None:
        """A raw picture; `step` and `is_bigendian` are those of the array unless they are given."""
        fields = {"height": len(image), "width": image.shape[1], "step": image[0].nbytes, "is_bigendian": 0}
        fields |= {"encoding": encoding, "data": np.frombuffer(image.tobytes(), np.uint8)}
        self.message(topic, "sensor_msgs/msg/Image", number, **{**fields, **other})

    def compressed(self, topic: str, number: int, image: Image, suffix: str = ".jpg") -> None:
        data = cv2.imencode(suffix, image)[1].ravel()
        self.message(topic, "sensor_msgs/msg/CompressedImage", number, format=suffix[1:], data=data)

    def camera_info(
        self, topic: str, matrix: Matrix, size: tuple[int, int], lens: tuple[float, ...] = (), model: str = ""
    ) -> None:
        """K is `matrix`; P has twice the focal length, so that neither can be taken for the other."""
        projection = np.hstack([np.diag([2.0, 2, 1]) @ matrix, np.zeros((3, 1))])
        found = {"k": matrix.ravel(), "d": np.array(lens), "r": np.eye(3).ravel(), "p": projection.ravel()}
        region = self._types.types["sensor_msgs/msg/RegionOfInterest"](0, 0, 0, 0, False)
        fields: dict[str, Any] = {(name.upper() if self._is_1 else name): found[name] for name in found}
        fields |= {"width": size[0], "height": size[1], "distortion_model": model or "plumb_bob"}
        self.message(topic, "sensor_msgs/msg/CameraInfo", 0, **fields, binning_x=0, binning_y=0, roi=region)

    def text(self, topic: str) -> None:
        kind = "std_msgs/msg/String"
        self._send(topic, kind, self._start, self._types.types[kind](data="hello"))

    def message(self, topic: str, kind: str, number: int, *, stamped: bool = True, **fields: Any) -> None:
        """A message about picture `number`, with the time in its header unless nobody wrote it."""
        taken = self._start + number * SECOND // 25
        stamp = self._types.types["builtin_interfaces/msg/Time"](*divmod(taken if stamped else 0, SECOND))
        counted = {"seq": number} if self._is_1 else {}
        header = self._types.types["std_msgs/msg/Header"](stamp=stamp, frame_id="camera", **counted)
        self._send(topic, kind, taken + LATE, self._types.types[kind](header=header, **fields))

    def _send(self, topic: str, kind: str, at: int, message: Any) -> None:
        if topic not in self._connections:
            self._connections[topic] = self._writer.add_connection(topic, kind, typestore=self._types)
        encode = self._types.serialize_ros1 if self._is_1 else self._types.serialize_cdr
        self._writer.write(self._connections[topic], at, encode(message, kind))
