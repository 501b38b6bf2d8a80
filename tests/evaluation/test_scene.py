"""The renderer's truth against geometry worked out another way."""

import cv2
import numpy as np
import pytest

from sources.synthetic import MOTIONS, SyntheticSource
from streamflow.errors import SourceError
from streamflow.evaluation.scene import rectangle, render
from streamflow.evaluation.truth import pair_truth
from streamflow.geometry.camera import matrix_from_fov
from streamflow.values import Frame, FramePair, View

SIZE = (167, 101)
K = matrix_from_fov(60, SIZE)


def wall_at(z: float) -> list:
    return [rectangle((-50, -50, z), (100, 0, 0), (0, 100, 0))]


def frame(index: int, pose: np.ndarray, surfaces: list) -> Frame:
    image, depth = render(surfaces, pose, K, SIZE)
    return Frame(index, image, truth=View(pose, K, depth))


def moved(x: float = 0, y: float = 0, z: float = 0) -> np.ndarray:
    pose = np.eye(4)
    pose[:3, 3] = x, y, z
    return pose


def test_a_facing_wall_has_its_depth_everywhere() -> None:
    _, depth = render(wall_at(8), moved(z=3), K, SIZE)
    np.testing.assert_allclose(depth, 5, rtol=1e-5)


def test_nothing_in_sight_is_black_and_has_no_depth() -> None:
    image, depth = render(wall_at(-2), moved(), K, SIZE)
    assert not image.any()
    assert np.isnan(depth).all()


def test_sideways_before_a_wall_everything_moves_alike() -> None:
    first, second = frame(0, moved(), wall_at(5)), frame(1, moved(x=0.1), wall_at(5))
    truth = pair_truth(FramePair(first, second))
    np.testing.assert_allclose(truth.vectors[..., 0], -K[0, 0] * 0.1 / 5, atol=1e-4)
    np.testing.assert_allclose(truth.vectors[..., 1], 0, atol=1e-4)
    assert truth.epipole is not None
    assert abs(truth.epipole[2]) < 1e-12  # at infinity
    np.testing.assert_allclose(truth.inverse_depth, 0.1 / 5, rtol=1e-5)


def test_forward_before_a_wall_the_flow_is_a_zoom_about_the_epipole() -> None:
    step, distance = 0.2, 5.0
    older, newer = frame(0, moved(), wall_at(distance)), frame(1, moved(z=step), wall_at(distance))
    truth = pair_truth(FramePair(older, newer))
    x, y = np.meshgrid(np.arange(SIZE[0]), np.arange(SIZE[1]))
    zoom = step / (distance - step)
    np.testing.assert_allclose(truth.vectors[..., 0], zoom * (x - K[0, 2]), atol=1e-3)
    np.testing.assert_allclose(truth.vectors[..., 1], zoom * (y - K[1, 2]), atol=1e-3)
    np.testing.assert_allclose(truth.epipole / truth.epipole[2], (K[0, 2], K[1, 2], 1))


def test_the_epipole_is_ahead_when_moving_forward_whichever_frame_is_the_reference() -> None:
    older, newer = frame(0, moved(), wall_at(5)), frame(1, moved(z=0.2), wall_at(5))
    for pair in (FramePair(older, newer), FramePair(newer, older)):
        assert pair_truth(pair).epipole[2] > 0


def test_rotation_only_is_a_homography() -> None:
    source = SyntheticSource("demo:rotation,size=167x101,frames=2")
    older, newer = source
    truth = pair_truth(FramePair(newer, older))
    assert truth.epipole is None
    homography = K @ truth.rotation @ np.linalg.inv(K)
    corners = np.array([[[0, 0]], [[166, 0]], [[80, 50]], [[0, 100]]], float)
    expected = cv2.perspectiveTransform(corners, homography) - corners
    for (x, y), vector in zip(corners[:, 0].astype(int), expected[:, 0], strict=True):
        np.testing.assert_allclose(truth.vectors[y, x], vector, atol=1e-3)


@pytest.mark.parametrize("name", sorted(MOTIONS))
def test_warping_the_target_by_the_true_flow_gives_the_reference(name: str) -> None:
    older, newer = SyntheticSource(f"demo:{name},size=167x101,frames=2")
    truth = pair_truth(FramePair(newer, older))
    x, y = np.meshgrid(np.arange(167, dtype=np.float32), np.arange(101, dtype=np.float32))
    warped = cv2.remap(older.grey, x + truth.vectors[..., 0], y + truth.vectors[..., 1], cv2.INTER_CUBIC)
    difference = abs(warped.astype(float) - newer.grey)[truth.visible]
    still = abs(older.grey.astype(float) - newer.grey)[truth.visible]
    assert truth.visible.mean() > 0.9
    assert np.median(difference) <= 2
    if name != "still":
        assert np.median(difference) < 0.4 * np.median(still)


def test_the_same_spelling_gives_the_same_frames() -> None:
    first, second = (list(SyntheticSource("demo:oblique,size=61x47,frames=3")) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one.image, other.image)


@pytest.mark.parametrize(
    ("spelling", "message"),
    [
        ("demo:nowhere", "no scene nowhere"),
        ("demo:forward,size=big", "not WIDTHxHEIGHT"),
        ("demo:forward,size=8x8", "at least 16x16"),
        ("demo:forward,frames=many", "not a number"),
        ("demo:forward,colour=red", "no setting colour"),
    ],
)
def test_nonsense_is_refused_by_name(spelling: str, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        SyntheticSource(spelling)
