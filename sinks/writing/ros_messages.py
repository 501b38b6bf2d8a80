"""What was found in a pair as messages of ROS 2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.spatial.transform import Rotation

if TYPE_CHECKING:
    from rosbags.typesys.store import Typestore

    from sinks.writing.odometry import Odometry
    from streamflow.values import Depth, Frame, Image, Matrix

SECOND = 10**9  # nanoseconds
CAMERA = "camera_optical_frame"  # x right, y down, z forward
WORLD_AXES = np.array([[0.0, 0, 1], [-1, 0, 0], [0, -1, 0]])  # from those to ROS's: x forward, y left, z up
FLOAT32, POINT = 7, np.dtype([("xyz", "<f4", 3), ("rgb", "<u4")])  # of sensor_msgs/PointField


def nanoseconds(frame: Frame) -> int:
    """When `frame` was taken; a stream without a clock is shown at a frame a second."""
    return max(0, round((frame.index if frame.time is None else frame.time) * SECOND))


class Messages:
    """Makes the messages; `of` gives one of any type by its name."""

    def __init__(self, types: Typestore) -> None:
        self._types = types.types

    def of(self, kind: str, *values: Any, **fields: Any) -> Any:
        """A message of the type "package/Name"."""
        package, _, name = kind.partition("/")
        return self._types[f"{package}/msg/{name}"](*values, **fields)

    def header(self, frame: Frame, frame_id: str = CAMERA) -> Any:
        """The time of `frame`, and the axes that a message is in."""
        stamp = self.of("builtin_interfaces/Time", *divmod(nanoseconds(frame), SECOND))
        return self.of("std_msgs/Header", stamp, frame_id)

    def image(self, frame: Frame, pixels: Any, encoding: str) -> Any:
        """(H, W) or (H, W, 3)."""
        height, width = pixels.shape[:2]
        size = {"height": height, "width": width, "step": pixels[0].nbytes, "is_bigendian": 0}
        data = np.ascontiguousarray(pixels).view(np.uint8).ravel()
        return self.of("sensor_msgs/Image", self.header(frame), encoding=encoding, data=data, **size)

    def depth(self, frame: Frame, depth: Depth) -> Any:
        """Depth along the optical axis, NaN where unknown."""
        z = np.where(depth.inverse > 0, depth.z, np.nan).astype("<f4")
        return self.image(frame, z, "32FC1")

    def camera_info(self, frame: Frame, matrix: Matrix) -> Any:
        """A camera without distortion, for that was undone."""
        return self.of(
            "sensor_msgs/CameraInfo",
            self.header(frame),
            width=frame.size[0],
            height=frame.size[1],
            distortion_model="plumb_bob",
            d=np.zeros(5),
            k=matrix.ravel(),
            r=np.eye(3).ravel(),
            p=np.column_stack([matrix, np.zeros(3)]).ravel(),
            binning_x=0,
            binning_y=0,
            roi=self.of("sensor_msgs/RegionOfInterest", 0, 0, 0, 0, False),
        )

    def transform(self, frame: Frame, world: str, pose: Matrix) -> Any:
        """The camera in `world`."""
        position, quaternion = self._placed(pose)
        transform = self.of(
            "geometry_msgs/Transform",
            self.of("geometry_msgs/Vector3", *position),
            self.of("geometry_msgs/Quaternion", *quaternion),
        )
        stamped = self.of("geometry_msgs/TransformStamped", self.header(frame, world), CAMERA, transform)
        return self.of("tf2_msgs/TFMessage", [stamped])

    def odometry(self, frame: Frame, world: str, found: Odometry) -> Any:
        """Pose in `world` and velocity in the camera's axes, with their covariances."""
        position, quaternion = self._placed(found.pose)
        pose = self.of(
            "geometry_msgs/Pose",
            self.of("geometry_msgs/Point", *position),
            self.of("geometry_msgs/Quaternion", *quaternion),
        )
        axes = np.kron(np.eye(2), WORLD_AXES)
        covariance = axes @ found.covariance @ axes.T
        linear, angular = (
            self.of("geometry_msgs/Vector3", *part) for part in found.velocity.reshape(2, 3).tolist()
        )
        twist = self.of("geometry_msgs/Twist", linear, angular)
        return self.of(
            "nav_msgs/Odometry",
            self.header(frame, world),
            CAMERA,
            self.of("geometry_msgs/PoseWithCovariance", pose, covariance.ravel()),
            self.of("geometry_msgs/TwistWithCovariance", twist, found.velocity_covariance.ravel()),
        )

    def cloud(self, frame: Frame, points: Matrix, colours: Image) -> Any:
        """Points (N, 3) in the camera's axes with their colours (N, 3) BGR."""
        packed = np.empty(len(points), POINT)
        packed["xyz"] = points
        packed["rgb"] = colours.astype(np.uint32) @ np.array([1, 1 << 8, 1 << 16], np.uint32)
        fields = [
            self.of("sensor_msgs/PointField", name, 4 * i, FLOAT32, 1)
            for i, name in enumerate(("x", "y", "z"))
        ]
        fields.append(self.of("sensor_msgs/PointField", "rgb", 12, FLOAT32, 1))
        return self.of(
            "sensor_msgs/PointCloud2",
            self.header(frame),
            height=1,
            width=len(points),
            fields=fields,
            is_bigendian=False,
            point_step=POINT.itemsize,
            row_step=packed.nbytes,
            data=packed.view(np.uint8).ravel(),
            is_dense=True,
        )

    def _placed(self, pose: Matrix) -> tuple[list[float], list[float]]:
        """Position, and rotation as x y z w, of a pose in ROS's axes of the world."""
        turned = WORLD_AXES @ pose[:3]
        return turned[:, 3].tolist(), Rotation.from_matrix(turned[:, :3]).as_quat().tolist()
