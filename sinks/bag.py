"""A bag of ROS 2, as robots, Foxglove and Rerun read it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from sinks.writing.bag_folder import BagFolder
from sinks.writing.odometry import DeadReckoning
from sinks.writing.points import points, sure_pixels
from sinks.writing.ros_messages import Messages, nanoseconds
from streamflow.errors import SinkError
from streamflow.extras import extra
from streamflow.stages import Stage

if TYPE_CHECKING:
    from sinks import Run
    from streamflow.values import Frame, Result

POINTS = ",points"  # ends a target that is to hold point clouds


class BagSink:
    """Writes the picture and its depth with their camera, the camera's transform, and odometry.

    Every trajectory has a frame of its own, `odom`, `odom_2`, ..., whose axes are those of the first camera
    as ROS has them: x forward, y left, z up.
    """

    needs: ClassVar[frozenset[Stage]] = frozenset({Stage.DEPTH})

    def __init__(self, target: str, run: Run) -> None:
        with extra("ros", f"bag:{target}", SinkError):
            from rosbags.typesys import Stores, get_typestore
        types = get_typestore(Stores.ROS2_HUMBLE)
        self._messages = Messages(types)
        self._with_points = target.endswith(POINTS)
        self._bag = BagFolder(target.removesuffix(POINTS), run, types)
        self._odometry = DeadReckoning()
        self._trajectories = 0
        self._lost = True

    def write(self, result: Result) -> None:
        """Write the messages of one pair."""
        depth, frame, make = result.depth, result.pair.reference, self._messages
        assert depth is not None
        self._write_pose(result)
        camera = make.camera_info(frame, result.camera_matrix)
        self._add("/camera/camera_info", "sensor_msgs/CameraInfo", frame, camera)
        self._add("/camera/image_rect", "sensor_msgs/Image", frame, make.image(frame, frame.image, "bgr8"))
        self._add("/camera/depth/camera_info", "sensor_msgs/CameraInfo", frame, camera)
        self._add("/camera/depth/image_rect", "sensor_msgs/Image", frame, make.depth(frame, depth))
        if self._with_points:
            cloud = make.cloud(frame, *points(result, depth, sure_pixels(depth)))
            self._add("/camera/points", "sensor_msgs/PointCloud2", frame, cloud)

    def close(self) -> None:
        """Give the bag its name."""
        self._bag.close()

    def _write_pose(self, result: Result) -> None:
        begins = self._lost or result.starts_segment is not None
        self._lost = result.pose is None
        if result.pose is None:
            return
        if begins:
            self._trajectories += 1
            self._odometry.begin()
            self._add_transform(min(result.pair.reference, result.pair.target, key=nanoseconds), np.eye(4))
        self._add_transform(result.pair.newest, result.pose)
        found = self._messages.odometry(result.pair.newest, self._world, self._odometry(result))
        self._add("/odometry", "nav_msgs/Odometry", result.pair.newest, found)

    def _add_transform(self, frame: Frame, pose: Any) -> None:
        self._add("/tf", "tf2_msgs/TFMessage", frame, self._messages.transform(frame, self._world, pose))

    def _add(self, topic: str, kind: str, frame: Frame, message: Any) -> None:
        self._bag.add(topic, kind.replace("/", "/msg/"), nanoseconds(frame), message)

    @property
    def _world(self) -> str:
        return "odom" if self._trajectories == 1 else f"odom_{self._trajectories}"
