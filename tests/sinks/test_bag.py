"""Bags of ROS 2 as robots read them."""

import builtins
from collections import defaultdict
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from rosbags.highlevel import AnyReader
from scipy.spatial.transform import Rotation

from sinks import open_sink
from sinks.read import read_ply
from sinks.writing.odometry import DeadReckoning
from sources import open_source
from sources.synthetic import SyntheticSource
from streamflow.errors import SinkError
from streamflow.evaluation.truth import pair_truth
from streamflow.geometry.rotation import rotation_exp, tangent_basis
from streamflow.pipeline import results
from streamflow.values import Motion, SourceInfo, Status, Translation
from tests.support.bags import BagWriter
from tests.support.encode import through_h264
from tests.support.full_disk import limited_file_size
from tests.support.made_results import K, files_in, make_frame, make_result, make_results, make_run, write_all


@pytest.fixture(autouse=True)
def current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def messages(path: str = "out") -> dict[str, list]:
    """Messages by topic, in order; every one is recorded at the time in its header."""
    found = defaultdict(list)
    with AnyReader([Path(path)]) as reader:
        for connection, recorded, data in reader.messages():
            message = reader.deserialize(data, connection.msgtype)
            stamp = getattr(message, "transforms", [message])[0].header.stamp
            assert stamp.sec * 10**9 + stamp.nanosec == recorded
            found[connection.topic].append(message)
    return found


def seconds(message) -> float:
    return message.header.stamp.sec + message.header.stamp.nanosec / 1e9


def matrix(transform) -> np.ndarray:
    """(4, 4) of a geometry_msgs/Transform."""
    q, t = transform.rotation, transform.translation
    pose = np.eye(4)
    pose[:3, :3] = Rotation.from_quat([q.x, q.y, q.z, q.w]).as_matrix()
    pose[:3, 3] = t.x, t.y, t.z
    return pose


def test_pictures_depth_and_camera():
    written = make_results()
    write_all(open_sink("bag:out", make_run()), written)
    found = messages()
    for i, result in enumerate(written):
        image, depth = found["/camera/image_rect"][i], found["/camera/depth/image_rect"][i]
        assert seconds(image) == seconds(depth) == (i + 1) / 25
        assert (image.encoding, image.width, image.height) == ("bgr8", 67, 45)
        np.testing.assert_array_equal(image.data.reshape(45, 67, 3), result.pair.newest.image)
        assert (depth.encoding, depth.step) == ("32FC1", 4 * 67)
        z = depth.data.view("<f4").reshape(45, 67)
        np.testing.assert_array_equal(np.isnan(z), np.isnan(result.depth.inverse))
        np.testing.assert_allclose(z, 1 / result.depth.inverse, rtol=1e-6)
        for topic in ("/camera/camera_info", "/camera/depth/camera_info"):
            camera = found[topic][i]
            np.testing.assert_array_equal(camera.k.reshape(3, 3), K)
            np.testing.assert_array_equal(camera.p.reshape(3, 4), np.column_stack([K, np.zeros(3)]))
            assert not camera.d.any()
            assert (camera.width, camera.height, camera.header.frame_id) == (67, 45, image.header.frame_id)


def test_the_camera_moves_in_axes_that_ros_has_x_ahead_y_to_the_left_z_up():
    """The made camera goes two ahead and one to the right with every frame, and turns right by 3 degrees."""
    write_all(open_sink("bag:out", make_run()), make_results())
    found = messages()
    transforms = [message.transforms[0] for message in found["/tf"]]
    assert [seconds(transform) for transform in transforms] == [i / 25 for i in range(6)]
    for i, transform in enumerate(transforms):
        assert (transform.header.frame_id, transform.child_frame_id) == ("odom", "camera_optical_frame")
        turn, pose = np.radians(3 * i), matrix(transform.transform)
        np.testing.assert_allclose(pose[:3, 3], [2 * i, -i, 0], atol=1e-9)
        np.testing.assert_allclose(pose[:3, 2], [np.cos(turn), -np.sin(turn), 0], atol=1e-9)  # looks there
        np.testing.assert_allclose(pose[:3, 1], [0, 0, -1], atol=1e-9)  # down in the picture is down
    for odometry, transform in zip(found["/odometry"], transforms[1:], strict=True):
        at, there = odometry.pose.pose.position, transform.transform.translation
        assert (at.x, at.y, at.z) == (there.x, there.y, there.z)
        assert odometry.child_frame_id == transform.child_frame_id


def test_every_trajectory_has_a_frame_of_its_own():
    written = make_results()
    written[2] = replace(written[2], pose=None)
    written[4] = replace(written[4], starts_segment="cut")
    write_all(open_sink("bag:out", make_run()), written)
    found = messages()
    frames = [message.transforms[0].header.frame_id for message in found["/tf"]]
    assert frames == ["odom"] * 3 + ["odom_2"] * 2 + ["odom_3"] * 2
    assert [message.header.frame_id for message in found["/odometry"]] == ["odom"] * 2 + ["odom_2", "odom_3"]
    assert len(found["/camera/image_rect"]) == 5


STEP = np.array([0.3, -0.2, 0.9])
TURN = np.radians([2.0, -5.0, 3.0])  # of the newer camera in the older one's axes
SIGMAS = np.radians([3.0, 1.0, 0.3, 0.6, 0.2])  # of tau and omega


def moved(forward: bool, noise: np.ndarray) -> tuple[np.ndarray, Motion]:
    """Pose (4, 4) of the newer camera in the older one's axes by a motion that is off by (tau, omega)."""
    true = np.eye(4)
    true[:3, :3], true[:3, 3] = rotation_exp(TURN), STEP
    motion = np.linalg.inv(true) if forward else true  # reference to target
    T = motion[:3, 3] / np.linalg.norm(STEP)
    off = np.eye(4)
    off[:3, :3] = rotation_exp(noise[2:]) @ motion[:3, :3]
    off[:3, 3] = np.linalg.norm(STEP) * (T + tangent_basis(T) @ noise[:2])
    translation = Translation(T, np.diag(SIGMAS**2), np.array([0, 0, 1.0]))
    return np.linalg.inv(off) if forward else off, Motion(Status.MOVING, motion[:3, :3], translation)


@pytest.mark.parametrize("forward", [False, True])
def test_the_covariances_are_those_of_trajectories_with_errors(forward):
    steps, runs, rng = 4, 4000, np.random.default_rng(1)
    reckoning, pose = DeadReckoning(), np.eye(4)
    for i in range(steps):
        step, motion = moved(forward, np.zeros(5))
        pose = pose @ step
        frames = [make_frame(i, None), make_frame(i + 1, None)]
        result = make_result(*(frames if forward else frames[::-1]), motion=motion, pose=pose)
        depth = replace(result.depth, step=np.linalg.norm(STEP))
        found = reckoning(replace(result, depth=depth, focal_sigma=0.0))
    errors = []
    for _ in range(runs):
        other = np.eye(4)
        for _ in range(steps):
            other = other @ moved(forward, rng.normal(size=5) * SIGMAS)[0]
        turn = Rotation.from_matrix(other[:3, :3] @ pose[:3, :3].T).as_rotvec()
        errors.append(np.concatenate([other[:3, 3] - pose[:3, 3], turn]))
    sampled = np.cov(np.array(errors).T)
    deviations = np.sqrt(np.diag(sampled))
    np.testing.assert_allclose(np.sqrt(np.diag(found.covariance)), deviations, rtol=0.06)
    np.testing.assert_allclose(
        found.covariance / np.outer(deviations, deviations),
        sampled / np.outer(deviations, deviations),
        atol=0.07,
    )


def test_velocity_is_in_the_axes_of_the_camera():
    """Without the clock it is not known."""
    step, motion = moved(False, np.zeros(5))
    result = make_result(make_frame(1, None), make_frame(0, None), motion=motion, pose=step)
    assert np.isnan(DeadReckoning()(result).velocity).all()
    timed = make_result(make_frame(1, 0.2), make_frame(0, 0.0), motion=motion, pose=step)
    velocity = DeadReckoning()(timed).velocity
    np.testing.assert_allclose(step[:3, :3] @ velocity[:3], STEP / 0.2)
    np.testing.assert_allclose(velocity[3:], TURN / 0.2)


def test_the_error_of_the_metre_is_one_of_the_whole_way():
    step, motion = moved(False, np.zeros(5))
    result = make_result(make_frame(1, None), make_frame(0, None), motion=motion, pose=step)
    metric = replace(result, depth=replace(result.depth, unit="m", unit_sigma=0.5))
    added = DeadReckoning()(metric).covariance - DeadReckoning()(result).covariance
    np.testing.assert_allclose(added[:3, :3], 0.25 * np.outer(STEP, STEP))
    assert not added[3:].any()


def test_point_clouds_on_request():
    written = make_results()[:1]
    write_all(open_sink("bag:out,points", make_run()), written)
    write_all(open_sink("ply:clouds", make_run()), written)
    points, colours = read_ply("clouds/frame_000001.ply")
    (cloud,) = messages()["/camera/points"]
    assert [(field.name, field.offset) for field in cloud.fields] == [
        ("x", 0),
        ("y", 4),
        ("z", 8),
        ("rgb", 12),
    ]
    rows = cloud.data.reshape(len(points), cloud.point_step)
    np.testing.assert_array_equal(np.ascontiguousarray(rows[:, :12]).view("<f4"), points)
    np.testing.assert_array_equal(rows[:, 12:15], colours)  # 0x00rrggbb, the lowest byte first


def test_a_bag_of_ours_is_a_source_with_its_camera_and_times():
    written = make_results()
    write_all(open_sink("bag:out", make_run()), written)
    with closing(open_source("out:/camera/image_rect")) as source:
        frames = list(source)
        np.testing.assert_array_equal(source.info.camera_matrix, K)
    for frame, result in zip(frames, written, strict=True):
        assert frame.time == result.pair.newest.time
        np.testing.assert_array_equal(frame.image, result.pair.newest.image)


def test_the_official_layout():
    write_all(open_sink("bag:out", make_run()), make_results())
    assert files_in(Path()) == ["out/metadata.yaml", "out/out.mcap"]
    data = Path("out/out.mcap").read_bytes()
    assert data.startswith(b"\x89MCAP0\r\n")
    assert data.endswith(b"\x89MCAP0\r\n")


def test_only_bags_of_ours_are_replaced():
    with BagWriter(Path("out")) as writer:
        writer.text("/chatter")
    before = files_in(Path())
    with pytest.raises(SinkError, match=r"out: is not an output of streamflow; choose another name"):
        open_sink("bag:out", make_run(overwrite=True))
    assert files_in(Path()) == before
    write_all(open_sink("bag:mine", make_run()), make_results())
    write_all(open_sink("bag:mine", make_run(overwrite=True)), make_results()[:2])
    assert len(messages("mine")["/camera/image_rect"]) == 2


def test_an_interrupted_run_is_begun_again():
    Path("out.part/out").mkdir(parents=True)
    Path("out.part/out/out.mcap").write_bytes(b"torn")
    with pytest.raises(SinkError, match=r"out.part: is left of an interrupted run; -y replaces it"):
        open_sink("bag:out", make_run())
    again = replace(make_run(), resume=True)
    write_all(open_sink("bag:out", again), make_results())
    assert files_in(Path()) == ["out/metadata.yaml", "out/out.mcap"]
    write_all(open_sink("bag:out", again), make_results())
    with pytest.raises(SinkError, match=r"cannot be continued: --flow was balanced, is None"):
        open_sink("bag:out", replace(again, settings={"threshmin": 10.0}))


def test_a_full_disk_leaves_nothing():
    sink = open_sink("bag:out", make_run())
    noise = np.random.default_rng(0).integers(0, 255, (450, 670, 3)).astype(np.uint8)
    frames = [replace(make_frame(i, None), image=noise) for i in range(2)]
    result = make_result(*frames[::-1])
    with (
        limited_file_size(100_000),
        pytest.raises(SinkError, match=r"out: cannot be written: File too large"),
    ):
        write_all(sink, [result] * 3)
    sink.close()
    assert files_in(Path()) == []


def test_without_the_package_one_line_says_what_to_install(monkeypatch):
    load = builtins.__import__

    def without(name, *rest, **more):
        if name.startswith("rosbags"):
            raise ModuleNotFoundError(f"No module named {name!r}", name="rosbags")
        return load(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(SinkError, match=r"^bag:out: .*rosbags: pip install 'streamflow\[ros\]'$"):
        open_sink("bag:out", make_run())


@pytest.mark.parametrize("crf", [None, 18, 23])
def test_from_a_bag_to_a_bag_the_depth_and_the_path_are_those_of_the_scene(crf):
    scene = SyntheticSource("demo:forward,size=317x211,frames=5")
    frames = list(scene) if crf is None else through_h264(scene, crf)
    with BagWriter(Path("drive")) as writer:
        writer.camera_info("/camera/camera_info", scene.info.camera_matrix, scene.info.size)
        for frame in frames:
            writer.image("/camera/image_raw", frame.index, frame.image)
    with closing(open_source("drive")) as source:
        found = list(results(source, {"depth"}, source=source.info))
        info: SourceInfo = source.info
    write_all(open_sink("bag:out", make_run(info=info)), found)
    read = messages()
    poses = [matrix(message.transforms[0].transform) for message in read["/tf"]]
    true = [frame.truth.pose for frame in frames]
    unit = np.linalg.norm(true[1][:3, 3] - true[0][:3, 3])
    for (older, newer), (previous, pose) in zip(pairwise(true), pairwise(poses), strict=True):
        ahead = older[:3, :3].T @ (newer[:3, 3] - older[:3, 3]) / unit
        step = (np.linalg.inv(previous) @ pose)[:3, 3]  # in the axes of the older camera
        np.testing.assert_allclose(step, ahead, atol=0.1)
    for frame, message in zip(frames[1:], read["/camera/depth/image_rect"], strict=True):
        z = message.data.view("<f4").reshape(211, 317)
        assert np.isfinite(z).mean() > 0.3
        assert np.nanmedian(z * unit / frame.truth.depth) == pytest.approx(1, abs=0.07)
    assert cv2.norm(np.diag(read["/odometry"][-1].pose.covariance.reshape(6, 6))) > 0
    assert pair_truth(found[0].pair) is None  # nothing but the pictures came through the bag
