"""The conventions, on real pictures of analytic scenes, from the pixels to depth."""

from dataclasses import replace
from functools import lru_cache

import cv2
import numpy as np
import pytest

import streamflow
from sources.scenes.worlds import wall
from sources.synthetic import SyntheticSource
from streamflow.analysis import Analysis
from streamflow.evaluation.metrics import angle, depth_errors, endpoint_error
from streamflow.evaluation.truth import pair_truth
from streamflow.flow.engine import FlowEngine
from streamflow.geometry.epipole import pixel
from streamflow.options import Knobs, Options
from streamflow.stages import Stage
from streamflow.values import Frame, FramePair, Result, SourceInfo, Status
from tests.support.triangulated import signed_inverse_depth

SIZE = "317x211"
EVERYTHING = frozenset(Stage)


@lru_cache
def scene(name: str) -> tuple[tuple[Frame, ...], SourceInfo]:
    source = SyntheticSource(f"demo:{name},size={SIZE},frames=3")
    return tuple(source), source.info


@lru_cache
def analysed(name: str, swapped: bool = False, motion: str = "full") -> Result:
    """The pair of the last two frames, taken by itself."""
    frames, info = scene(name)
    pair = FramePair(frames[1], frames[2]) if swapped else FramePair(frames[2], frames[1])
    return Analysis(EVERYTHING, Options(motion=motion), Knobs(), info)(replace(pair, starts_segment="start"))


@pytest.mark.parametrize("name", ["forward", "backward", "sideways", "oblique", "turning"])
def test_flow_heading_and_depth_are_those_of_the_scene(name: str) -> None:
    result = analysed(name)
    truth = pair_truth(result.pair)
    error = endpoint_error(result.flow.vectors, truth.vectors)[truth.visible]
    assert np.median(error) < 0.1  # pixels
    assert result.motion.status is Status.MOVING
    found = result.motion.rotation.T @ result.motion.translation.direction
    true = truth.rotation.T @ truth.translation
    assert angle(found, true) < 2  # degrees, signed
    errors, _ = depth_errors(result.depth.inverse, truth.inverse_depth, truth.visible)
    assert errors.size > 0.3 * truth.visible.size
    assert np.median(errors) < 0.05
    scale = np.nanmedian(result.depth.inverse / truth.inverse_depth)
    assert scale == pytest.approx(1, abs=0.03)  # the unit is this pair's step


@pytest.mark.parametrize(
    ("name", "where"), [("forward", "inside"), ("oblique", "outside"), ("sideways", "at infinity")]
)
def test_the_epipole_inside_outside_and_at_infinity(name: str, where: str) -> None:
    result = analysed(name)
    truth = pair_truth(result.pair)
    at, true = (pixel(e, result.camera_matrix) for e in (result.motion.translation.epipole, truth.epipole))
    if where == "at infinity":
        assert true is None
        assert at is None or abs(at[0]) > 2000
    else:
        np.testing.assert_allclose(at, true, atol=4)
        width, height = result.pair.reference.size
        assert (0 <= at[0] < width and 0 <= at[1] < height) == (where == "inside")


@pytest.mark.parametrize(("name", "ahead"), [("forward", True), ("backward", False), ("oblique", True)])
def test_the_sign_of_the_epipole_tells_forward_from_backward_in_time(name: str, ahead: bool) -> None:
    for swapped in (False, True):
        assert (analysed(name, swapped).motion.translation.epipole[2] > 0) == ahead


@pytest.mark.parametrize("name", ["still", "rotation"])
def test_without_translation_there_is_neither_epipole_nor_depth(name: str) -> None:
    result = analysed(name)
    assert result.motion.status == {"still": "static", "rotation": "rotation"}[name]
    assert result.motion.translation is None
    assert np.isnan(result.depth.inverse).all()
    if name == "still":
        assert not result.flow.vectors.any()


def test_rotation_is_found_while_translating() -> None:
    result = analysed("turning")
    truth = pair_truth(result.pair)
    turn = np.degrees(np.linalg.norm(cv2.Rodrigues(truth.rotation @ result.motion.rotation.T)[0]))
    assert turn < 0.05  # degrees, of 0.42


def test_translation_only_is_as_good_where_it_holds() -> None:
    result = analysed("oblique", motion="translation")
    truth = pair_truth(result.pair)
    assert angle(result.motion.translation.direction, truth.translation) < 1  # degree


def test_swapping_the_pair_negates_the_flow_and_keeps_the_epipole() -> None:
    """On a wall seen head-on from the side, the flow is the same on both frames."""
    forth, back = analysed("oblique"), analysed("oblique", swapped=True)
    smooth = (forth.flow.sigma < 0.1) & (back.flow.sigma < 0.1)
    difference = np.linalg.norm(forth.flow.vectors + back.flow.vectors, axis=-1)[smooth]
    length = np.linalg.norm(forth.flow.vectors, axis=-1)[smooth]
    assert np.median(difference) < 0.1 * np.median(length)
    at, again = (pixel(r.motion.translation.epipole, r.camera_matrix) for r in (forth, back))
    np.testing.assert_allclose(at, again, atol=4)


def test_opposite_flow_is_depth_of_the_other_sign_about_the_same_epipole() -> None:
    frames, info = scene("oblique")
    truth = pair_truth(FramePair(frames[2], frames[1]))
    error = np.full(truth.vectors.shape[:2], 0.1, np.float32)
    K, R, T = info.camera_matrix, np.eye(3), truth.translation
    rho, _, _ = signed_inverse_depth(truth.vectors, error, K, R, T)
    backwards, _, _ = signed_inverse_depth(truth.vectors, error, K, R, -T)
    np.testing.assert_allclose(backwards, -rho, rtol=1e-4, atol=1e-6)
    small = np.linalg.norm(truth.vectors, axis=-1) < 2  # pixels: then the flow is the same on both frames
    swapped, _, _ = signed_inverse_depth(-truth.vectors, error, K, R, T)
    np.testing.assert_allclose(swapped[small], -rho[small], rtol=0.05)


def test_cropping_image_and_camera_moves_the_epipole_and_leaves_depth() -> None:
    frames, info = scene("oblique")
    a, b = 12, 8  # a larger crop takes evidence away: the direction then moves by its own error
    cropped = [replace(frame, image=frame.image[b:, a:].copy()) for frame in frames[1:]]
    matrix = info.camera_matrix.copy()
    matrix[:2, 2] -= a, b
    source = replace(info, size=cropped[0].size, camera_matrix=matrix)
    pair = FramePair(cropped[1], cropped[0], starts_segment="start")
    result, whole = Analysis(EVERYTHING, Options(), Knobs(), source)(pair), analysed("oblique")
    moved = pixel(whole.motion.translation.epipole, whole.camera_matrix) - (a, b)
    np.testing.assert_allclose(pixel(result.motion.translation.epipole, matrix), moved, atol=5)
    ratio = result.depth.inverse / whole.depth.inverse[b:, a:]
    assert np.nanmedian(ratio) == pytest.approx(1, abs=0.02)


def test_a_pair_gives_the_same_result_whatever_came_before() -> None:
    frames, info = scene("turning")
    analysis = Analysis(EVERYTHING, Options(), Knobs(), info)
    pair = FramePair(frames[2], frames[1], starts_segment="start")
    alone = analysis(pair)
    analysis(FramePair(frames[1], frames[0]))
    again = analysis(pair)
    np.testing.assert_array_equal(alone.flow.vectors, again.flow.vectors)
    np.testing.assert_array_equal(alone.motion.translation.epipole, again.motion.translation.epipole)
    np.testing.assert_array_equal(alone.depth.inverse, again.depth.inverse)


def test_metres_come_from_the_baseline_or_from_speed_and_clock() -> None:
    frames, info = scene("oblique")
    pair = FramePair(frames[2], frames[1], starts_segment="start")
    step = pair_truth(pair).step
    by_baseline = Analysis(EVERYTHING, Options(baseline=step), Knobs(), info)(pair).depth
    by_speed = Analysis(EVERYTHING, Options(speed=step * 30), Knobs(), info)(pair).depth
    truth = frames[2].truth.depth
    for depth in (by_baseline, by_speed):
        assert depth.unit == "m"
        assert np.nanmedian(depth.z / truth) == pytest.approx(1, abs=0.03)


def test_time_to_contact_is_depth_over_forward_speed_by_the_streams_clock() -> None:
    result = analysed("oblique")
    z, forward = result.pair.reference.truth.depth, 0.08 * 30  # world units a second
    ratio = result.depth.time_to_contact / (z / forward)
    assert result.depth.contact_unit == "s"
    assert np.nanmedian(ratio) == pytest.approx(1, abs=0.04)


def test_a_single_plane_is_one_plane_with_its_parameters() -> None:
    frames, info = scene("wall")
    pair = FramePair(frames[2], frames[1], starts_segment="start")
    options = Options(region=(20, 20, 200, 150))
    planes = Analysis(EVERYTHING, options, Knobs(), info)(pair).planes
    assert planes is not None
    (plane,) = planes
    truth = pair_truth(pair)
    assert plane.residual < 0.15  # pixels
    surface = wall()[0].normal
    assert min(angle(plane.normal, sign * surface) for sign in (1, -1)) < 5  # degrees
    assert plane.normal[2] < 0  # towards the camera
    inside = np.zeros(plane.mask.shape, bool)
    inside[20:170, 20:220] = True
    assert not plane.mask[~inside].any()
    assert plane.mask[inside].mean() > 0.7
    a1 = truth.vectors[105, 158, 0] / result_focal(info)  # next to the principal point x = y = 0
    assert plane.parameters[0] == pytest.approx(a1, abs=0.1 / result_focal(info))


def result_focal(info: SourceInfo) -> float:
    return float(info.camera_matrix[0, 0])


@pytest.mark.parametrize("shift", [0.1, 0.7, 3.3, 8.0, 15.0])
@pytest.mark.parametrize("shape", [(101, 167), (167, 101)])
def test_shifts_from_a_tenth_of_a_pixel_to_fifteen(shift: float, shape: tuple[int, int]) -> None:
    height, width = shape
    frame = next(iter(SyntheticSource("demo:wall,size=400x400,frames=1"))).grey
    move = np.array([[1, 0, 60.0], [0, 1, 60.0]])
    reference = cv2.warpAffine(frame, move, (width, height), flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP)
    move[:, 2] -= shift * np.array([0.8, 0.6])
    target = cv2.warpAffine(frame, move, (width, height), flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP)
    vectors, _ = FlowEngine("balanced")(reference, target)
    inside = np.s_[18:-18, 18:-18]
    error = np.linalg.norm(vectors - shift * np.array([0.8, 0.6]), axis=-1)[inside]
    assert np.median(error) < 0.08  # pixels
    assert np.percentile(error, 90) < 0.3


def test_the_readme_loop_runs() -> None:
    frames, _ = scene("forward")
    found = list(streamflow.results(frames))
    assert [result.pair.reference.index for result in found] == [1, 2]
    assert found[0].camera_source == "assumed"
    assert all(result.planes for result in found)
