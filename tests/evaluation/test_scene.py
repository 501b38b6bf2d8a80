"""The renderer's truth against geometry worked out another way."""

from dataclasses import replace
from fractions import Fraction

import cv2
import numpy as np
import pytest

from sources.scenes.table import SCENES
from sources.synthetic import SyntheticSource
from streamflow.errors import SourceError
from streamflow.evaluation.scene import rectangle, render
from streamflow.evaluation.truth import pair_truth
from streamflow.geometry.camera import matrix_from_fov
from streamflow.values import Frame, FramePair, FrameTruth

SIZE = (167, 101)
K = matrix_from_fov(60, SIZE)


def wall_at(z: float) -> list:
    return [rectangle((-50, -50, z), (100, 0, 0), (0, 100, 0))]


def frame(index: int, pose: np.ndarray, surfaces: list) -> Frame:
    image, depth = render(surfaces, pose, K, SIZE)
    return Frame(index, image, truth=FrameTruth(pose, K, depth))


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


def warped(older: Frame, vectors: np.ndarray) -> np.ndarray:
    """The older picture carried along the true flow of the newer, which it should be."""
    x, y = np.meshgrid(np.arange(167, dtype=np.float32), np.arange(101, dtype=np.float32))
    return cv2.remap(older.grey, x + vectors[..., 0], y + vectors[..., 1], cv2.INTER_CUBIC).astype(float)


def two_pictures(spec: str) -> tuple[Frame, Frame]:
    """The first two frames that differ."""
    name = spec.split(",")[0]
    older, *_, newer = SyntheticSource(f"demo:{spec},size=167x101,frames={1 + SCENES[name].shown}")
    return older, newer


@pytest.mark.parametrize("name", sorted(SCENES))
def test_warping_the_target_by_the_true_flow_gives_the_reference(name: str) -> None:
    older, newer = two_pictures(name)
    truth = pair_truth(FramePair(newer, older))
    difference = abs(warped(older, truth.vectors) - newer.grey)
    assert truth.visible.mean() > 0.9
    assert np.median(difference[truth.visible]) <= 2
    moved = truth.visible & (np.hypot(truth.vectors[..., 0], truth.vectors[..., 1]) > 0.3)
    assert moved.any() == (name != "still")
    if moved.any():
        still = abs(older.grey.astype(float) - newer.grey)
        assert np.median(difference[moved]) < 0.4 * np.median(still[moved])


@pytest.mark.parametrize("forward", [False, True])
@pytest.mark.parametrize("name", ["traffic", "crossing"])
def test_each_thing_that_moves_by_itself_has_its_own_exact_flow(name: str, forward: bool) -> None:
    older, newer = two_pictures(f"{name},speed=4")
    reference, target = (older, newer) if forward else (newer, older)
    truth = pair_truth(FramePair(reference, target))
    still = replace(reference.truth, labels=None, placements=())
    rigid = pair_truth(
        FramePair(
            replace(reference, truth=still), replace(target, truth=replace(target.truth, placements=()))
        )
    )
    error, rigid_error = (
        abs(warped(target, vectors) - reference.grey) for vectors in (truth.vectors, rigid.vectors)
    )
    assert set(np.unique(truth.labels)) == set(range(len(SCENES[name].movers) + 1))
    for label in range(1, len(SCENES[name].movers) + 1):
        here = (truth.labels == label) & truth.visible
        assert here.sum() > 20
        assert error[here].mean() < 0.6 * rigid_error[here].mean()
    np.testing.assert_array_equal(truth.vectors[~truth.moving], rigid.vectors[~truth.moving])


def test_the_mask_of_what_moves_is_where_a_camera_at_rest_sees_another_depth_without_it() -> None:
    frame = next(iter(SyntheticSource("demo:crossing,size=167x101,frames=1")))
    scene = SCENES["crossing"]
    _, empty = render(scene.world(0), frame.truth.pose, frame.truth.camera_matrix, SIZE)
    np.testing.assert_array_equal(frame.truth.moving, frame.truth.depth < empty)


def test_a_box_that_crosses_moves_by_its_step_over_its_distance() -> None:
    older, newer = two_pictures("crossing,speed=2")
    truth = pair_truth(FramePair(newer, older))
    box = SCENES["crossing"].movers[0]
    front = (truth.labels == 1) & (abs(newer.truth.depth - box.corner[2]) < 1e-3)
    assert front.sum() > 100
    np.testing.assert_allclose(
        truth.vectors[front, 0], -2 * box.velocity[0] * K[0, 0] / box.corner[2], rtol=1e-3
    )
    np.testing.assert_allclose(truth.vectors[front, 1], 0, atol=1e-3)


def test_an_overtaker_takes_a_third_of_the_picture() -> None:
    for frame in list(SyntheticSource("demo:traffic,size=167x101,frames=40"))[::13]:
        assert 0.27 < (frame.truth.labels == 1).mean() < 0.4


@pytest.mark.parametrize("name", ["bonnet", "stamp", "letterbox"])
def test_what_is_fixed_to_the_camera_stays_and_has_no_depth(name: str) -> None:
    older, newer = two_pictures(name)
    fixed = newer.truth.fixed
    np.testing.assert_array_equal(older.truth.fixed, fixed)
    assert 0.05 < fixed.mean() < 0.3
    np.testing.assert_array_equal(older.image[fixed], newer.image[fixed])
    assert np.isnan(newer.truth.depth[fixed]).all() and np.isfinite(newer.truth.depth[~fixed]).all()
    truth = pair_truth(FramePair(newer, older))
    assert not truth.vectors[fixed].any() and truth.visible[fixed].all()


def test_the_clock_of_the_stamp_runs() -> None:
    first, *_, last = SyntheticSource("demo:stamp,size=167x101,frames=31")
    assert (first.image != last.image)[first.truth.fixed].any()


@pytest.mark.parametrize("fov", [25, 95])
def test_a_pan_has_the_field_of_view_that_it_is_told_and_does_not_tell(fov: int) -> None:
    source = SyntheticSource(f"demo:pan,fov={fov},size=167x101,frames=2")
    older, newer = source
    assert source.info.camera_matrix is None
    assert newer.truth.camera.fov == fov
    truth = pair_truth(FramePair(newer, older))
    # At the centre: the focal length times the tangent of the turn of half a degree.
    expected = 167 / 2 / np.tan(np.radians(fov / 2)) * np.tan(np.radians(0.5))
    np.testing.assert_allclose(truth.vectors[50, 83, 0], expected, rtol=1e-3)


def test_a_zoom_grows_about_the_centre_and_claims_no_translation() -> None:
    older, newer = two_pictures("zoom")
    truth = pair_truth(FramePair(newer, older))
    x = np.arange(167) - 83
    np.testing.assert_allclose(truth.vectors[50, :, 0], x / 1.01 - x, atol=1e-3)
    assert truth.epipole is None
    assert newer.truth.camera.kind == "rotation"


def test_no_pair_across_a_cut_has_a_truth() -> None:
    frames = list(SyntheticSource("demo:cuts,size=61x47,frames=24"))
    cuts = [i for i in range(1, 24) if pair_truth(FramePair(frames[i], frames[i - 1])) is None]
    assert cuts == [8, 16]
    assert [frame.gap for frame in frames] == [None] * 24  # to be found in the pictures


def test_repeats_show_every_picture_twice_on_a_clock_that_runs_on() -> None:
    frames = list(SyntheticSource("demo:repeats,size=61x47,frames=6"))
    plain = list(SyntheticSource("demo:forward,size=61x47,frames=3"))
    for i, frame in enumerate(frames):
        np.testing.assert_array_equal(frame.image, plain[i // 2].image)
        assert frame.time == Fraction(i, 30)


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
        ("demo:pan,fov=180", "not between 1 and 150"),
    ],
)
def test_nonsense_is_refused_by_name(spelling: str, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        SyntheticSource(spelling)
