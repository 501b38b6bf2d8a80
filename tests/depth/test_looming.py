"""The looming warning: what the camera runs into, in time, and nothing else."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from streamflow.depth.approach import approach
from streamflow.depth.looming import looming_regions
from streamflow.depth.looming_warning import LoomingWarning
from streamflow.depth.pair import pair_depth
from streamflow.draw.painter import Painter
from streamflow.draw.views import VIEWS
from streamflow.errors import UsageError
from streamflow.evaluation.scene import Surface, box, rectangle, render
from streamflow.geometry.camera import matrix_from_fov
from streamflow.options import Knobs, Options
from streamflow.pipeline import results
from streamflow.stages import Stage, with_what_they_build_on
from streamflow.values import (
    Depth,
    Frame,
    FrameTruth,
    Looming,
    Motion,
    Result,
    SourceInfo,
    Status,
    Translation,
)
from tests.support.made_results import make_results
from tests.support.scenes import GROUND, SHAPE, SIDE, K, flow_of, noisy, rays, turn, unit

R = turn((0.1, -0.3, 0.1))
FORWARD = unit((0.05, 0, 1))
SIGMA = np.full(SHAPE, 0.05, np.float32)


def found(planes: list[np.ndarray], T: np.ndarray, limit: float, step: float = 0.3) -> list[Looming]:
    """What looms, in frames, for a camera that goes `step` past the planes n . a = 1/z, flow noise .05 px."""
    rho = np.max([rays() @ n for n in planes], axis=0).clip(1e-4) * step
    depth = pair_depth(noisy(flow_of(rho, R, T), 0.05, 1), SIGMA, K, R, T)
    depth = replace(depth, approach=approach(R, T))
    return looming_regions(depth, K, R.T @ T, limit)


@pytest.mark.parametrize("distance", [2.0, 3.0])
def test_a_wall_ahead_looms_with_its_time(distance):
    (wall,) = found([np.array([0, 0, 1 / distance])], FORWARD, limit=25)
    steps = distance / 0.3 / (R.T @ FORWARD)[2]
    assert wall.time == pytest.approx(steps, rel=0.05)
    x, y, width, height = wall.box
    heading = K @ R.T @ FORWARD
    assert x <= heading[0] / heading[2] < x + width
    assert y <= heading[1] / heading[2] < y + height
    assert wall.share == pytest.approx(wall.mask.mean())


def test_a_slanted_wall_looms_too():
    n = np.array([0.08, 0, 0.2])
    (wall,) = found([n], FORWARD, limit=25)
    pierced = 1 / (n @ R.T @ FORWARD) / 0.3
    assert wall.time == pytest.approx(pierced, rel=0.2)  # its parts are met one after the other


@pytest.mark.parametrize(
    ("planes", "T", "limit"),
    [
        ([GROUND], FORWARD, 25),
        ([GROUND, SIDE], FORWARD, 25),
        ([GROUND * 10], FORWARD, 25),  # as near as the corridor is wide
        ([np.array([0, 0, 1 / 6])], FORWARD, 15),
        ([np.array([0, 0, 1 / 6])], -FORWARD, 25),
        ([np.array([0, 0, 1 / 6])], unit((1, 0, 0)), 25),
    ],
    ids=["ground", "street", "camera near the ground", "later", "backing away", "sideways"],
)
def test_what_the_camera_does_not_run_into_does_not_loom(planes, T, limit):
    assert found(planes, T, limit) == []


def confirmed(*times: float | None) -> list[bool]:
    """Warned of or not below 2 s: a patch ahead whose time in each frame is given, None if missed."""
    warning = LoomingWarning(Options(warn_below=2.0))
    ahead = Translation(np.array([0.0, 0.0, 1.0]), np.zeros((5, 5)), K @ [0, 0, 1])
    pair, motion = make_results()[0].pair, Motion(Status.MOVING, np.eye(3), ahead)
    warned = []
    for time in times:
        contact = np.full(SHAPE, np.nan, np.float32)
        contact[40:60, 70:90] = np.nan if time is None else time
        depth = Depth(1 / contact, (0.01 / contact) ** 2, np.zeros(SHAPE, np.uint8), approach=1.0)
        warned.append(bool(warning(pair, motion, depth, K)))
    return warned


def test_one_frame_of_noise_is_no_warning_and_two_frames_are_waited():
    assert confirmed(None, 1.0, None, 1.0, None) == [False] * 5
    assert confirmed(2.1, 1.9, 1.8, 1.7, 1.6) == [False, False, False, True, True]


def test_a_warning_does_not_flicker_about_its_limit_nor_for_a_missed_frame():
    assert confirmed(1.9, 1.9, 1.9, 2.1, 1.9, 2.2, 2.4, 2.2) == [False, False, *[True] * 4, False, False]
    assert confirmed(1.9, 1.9, 1.9, None, 1.7, 1.6) == [False, False, True, False, True, True]


def test_without_translation_no_warning_and_without_clock_no_run():
    pair, depth = make_results()[0].pair, make_results()[0].depth
    warning = LoomingWarning(Options(warn_below=2.0))
    assert warning(pair, Motion(Status.ROTATION, rotation=R), depth, K) == ()
    assert LoomingWarning(Options())(pair, Motion(Status.ROTATION), depth, K) is None
    timeless = make_results([None, None])[0].pair
    with pytest.raises(UsageError, match="give `fps`"):
        warning(timeless, Motion(Status.STATIC), depth, K)


SIZE = (640, 480)
CAMERA = matrix_from_fov(60, SIZE)
SPEED, RATE = 0.1, 30  # world units a frame, frames a second
STREET = [
    rectangle((-40, 1.5, -8), (80, 0, 0), (0, 0, 60), texel=0.03, seed=1),
    rectangle((-80, -60, 40), (160, 0, 0), (0, 62, 0), texel=0.1, seed=3),
]


def streamed(surfaces: list[Surface], steps: range, limit: float) -> list[Result]:
    """What the whole method makes of a camera that goes straight on."""
    frames = []
    for i in steps:
        pose = np.eye(4)
        pose[2, 3] = SPEED * i
        image, z = render(surfaces, pose, CAMERA, SIZE)
        frames.append(Frame(i, image, Fraction(i, RATE), truth=FrameTruth(pose, CAMERA, z)))
    stages = with_what_they_build_on({Stage.DEPTH})
    info = SourceInfo("street", "street", size=SIZE, camera_matrix=CAMERA)
    return list(results(frames, stages, Options(warn_below=limit), source=info))


def test_a_box_in_the_way_is_warned_of_before_it_is_reached():
    """The box's front is reached after 60 frames, 2 s; the limit is 1.5 s."""
    warned = {}
    obstacle = box((-0.5, -0.3, 6), (1.4, 1.8, 1.0), seed=10)
    for result in streamed([*STREET, *obstacle], range(10, 33), limit=1.5):
        time = 2 - float(result.pair.newest.time)
        for looming in result.looming:
            warned[time] = looming.time
            front = np.abs(result.pair.newest.truth.depth - time * SPEED * RATE) < 0.01
            assert (looming.mask & front).sum() > 0.85 * (looming.mask | front).sum()
    errors = [found / time - 1 for time, found in warned.items()]
    assert 1.37 < max(warned) < 1.55  # two frames late, or a frame early as the times are
    assert set(np.diff(sorted(warned)).round(3)) == {round(1 / RATE, 3)}  # once warned of, in every frame
    assert np.median(np.abs(errors)) < 0.04
    assert np.max(np.abs(errors)) < 0.08


BESIDE = box((1.2, -0.3, 2.5), (1.4, 1.8, 1.0), seed=10)


@pytest.mark.parametrize("beside", [[], BESIDE], ids=["empty street", "box beside the way"])
def test_a_clear_way_is_no_warning(beside):
    assert all(result.looming == () for result in streamed([*STREET, *beside], range(12), limit=1.5))


def test_the_warning_is_drawn_in_every_view_and_the_rest_stays():
    result = make_results()[0]
    mask = np.zeros(result.depth.inverse.shape, np.bool_)
    mask[20:30, 30:50] = True
    for view in VIEWS:
        plain = Painter(Knobs(), view=view).draw(result)
        warned = Painter(Knobs(), view=view).draw(replace(result, looming=(Looming(1.25, mask),)))
        changed = (plain != warned).any(axis=-1)
        assert changed[20, 30:50].all()
        assert changed.mean() < 0.6
