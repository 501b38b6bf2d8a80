"""Time to contact of what moves by itself: from its growth alone, and who is warned of."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from sources.scenes.worlds import Mover
from streamflow.moving.cells import Cells
from streamflow.moving.expansion import Approach, Growth, growth, infinity
from streamflow.options import Options
from streamflow.pipeline import results
from streamflow.stages import Stage, with_what_they_build_on
from streamflow.values import Frame, Motion, Result, Status
from tests.support.encode import through_h264
from tests.support.movers import INFO, RATE, filmed
from tests.support.scenes import K, flow_of, noisy, turn

SHAPE = 101, 167
INSIDE = np.zeros(SHAPE, np.bool_)
INSIDE[30:71, 50:121] = True
CENTRE = np.array([85.0, 50.0])
R = turn((0.3, -0.8, 0.2))


def cells_of_flow(vectors: np.ndarray) -> Cells:
    """A cell a pixel, all of them textured."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]].astype(np.float32)
    texture = np.broadcast_to(np.float32([400, 0, 400]), (*SHAPE, 3))
    nothing = np.zeros((*SHAPE, 3), np.float32)
    return Cells(1, SHAPE, np.stack([x, y], -1), vectors, np.ones(SHAPE, np.float32), texture, nothing)


@pytest.mark.parametrize("R", [np.eye(3), R], ids=["straight", "turning"])
def test_growth_is_the_ratio_of_distances_whatever_the_camera_turns(R: np.ndarray) -> None:
    """A board ahead, 5 away in the reference, 5.4 in the target; a fifth of its flow is of something else."""
    T = np.array([0.03, -0.02, 0.4])
    vectors = noisy(flow_of(np.full(SHAPE, 1 / 5), R, R @ T), 0.1, seed=1)
    vectors[30:38, 50:121] += np.float32([4, 1])
    still = infinity(Motion(Status.ROTATION, R), K, forward=False)
    found = growth(cells_of_flow(vectors), INSIDE, still, CENTRE)
    assert found.scale == pytest.approx(5 / 5.4, abs=1e-3)
    there = K @ (np.linalg.inv(K) @ [*CENTRE, 1] * 5 + T)
    assert found.shift == pytest.approx(there[:2] / there[2] - CENTRE, abs=0.05)
    assert 1e-5 < np.sqrt(found.variance) < 2e-3


def test_a_zoom_is_no_approach() -> None:
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    zoomed = 0.02 * np.stack([x - K[0, 2], y - K[1, 2]], -1).astype(np.float32)
    for forward in (True, False):
        zoom = 1.02 if forward else 1 / 1.02
        still = infinity(Motion(Status.ROTATION, np.eye(3), zoom=zoom), K, forward=forward)
        assert growth(cells_of_flow(zoomed), INSIDE, still, CENTRE).scale == pytest.approx(1, abs=1e-5)


def test_nothing_is_said_where_nothing_is_seen() -> None:
    few = np.zeros(SHAPE, np.bool_)
    few[5:9, 5:9] = True
    cells = cells_of_flow(np.zeros((*SHAPE, 2), np.float32))
    assert growth(cells, few, np.eye(3), CENTRE) is None


def filtered(distances: np.ndarray, sigma: float, size: float | None = None) -> list[float | None]:
    """Rates of something at those distances, from scales that err by `sigma`; newest frame first."""
    approach, rng, found = Approach(), np.random.default_rng(2), []
    for before, now in pairwise(distances):
        scale = now / before + rng.normal(0, sigma)
        growth = Growth(scale, sigma**2, np.zeros(2)) if sigma < np.inf else None
        found.append(approach(1, growth, None if size is None else size / now, -1 / RATE))
    return found


def test_a_steady_approach_is_told_to_the_moment() -> None:
    distances = 10 - 5 * np.arange(40) / RATE
    times = 1 / np.array(filtered(distances, 0.002)[10:], float)
    assert np.abs(times / (distances[11:] / 5) - 1).max() < 0.25
    assert np.median(np.abs(times / (distances[11:] / 5) - 1)) < 0.06


def test_the_size_tells_where_the_flow_does_not() -> None:
    distances = 10 - 5 * np.arange(40) / RATE
    times = 1 / np.array(filtered(distances, np.inf, size=600)[15:], float)
    assert np.abs(times / (distances[16:] / 5) - 1).max() < 0.15
    assert not any(filtered(distances, np.inf))


@pytest.mark.parametrize("speed", [0.0, -5.0])
def test_what_keeps_its_distance_or_goes_has_no_time(speed: float) -> None:
    found = filtered(10 - speed * np.arange(40) / RATE, 0.002, size=600)
    assert sum(rate is not None for rate in found) <= 2


HEAD_ON = Mover((-0.8, 0.1, 9), (1.5, 1.3, 2.0), (0, 0, -0.12), seed=60, colour=(1.0, 0.5, 0.5))
FROM_THE_SIDE = Mover((3.0, 0.1, 8), (1.5, 1.3, 2.0), (-0.056, 0, 0), seed=60, colour=(1.0, 0.5, 0.5))
GONE_BEFORE = Mover((3.0, 0.1, 8), (1.5, 1.3, 2.0), (-0.13, 0, 0), seed=60, colour=(1.0, 0.5, 0.5))
OVERTAKER = Mover((1.4, -0.2, 1), (1.5, 1.7, 4.0), (0, 0, 0.2), seed=60, colour=(1.0, 0.5, 0.5))
KEEPING = Mover((-0.8, 0.1, 6), (1.5, 1.3, 2.0), (0, 0, 0.12), seed=60, colour=(1.0, 0.5, 0.5))
LIMIT = 1.5  # seconds
SPEED = 0.12  # of the camera, world units a frame


def warned(frames: list[Frame]) -> list[Result]:
    stages = with_what_they_build_on({Stage.DEPTH})
    return list(results(frames, stages, Options(warn_below=LIMIT), source=INFO))


@pytest.mark.parametrize(
    ("mover", "speed", "distance", "crf"),
    [(HEAD_ON, 0, 9, None), (FROM_THE_SIDE, SPEED, 8, None), (FROM_THE_SIDE, SPEED, 8, 28)],
    ids=["towards a camera at rest", "from the side", "from the side, encoded"],
)
def test_what_comes_into_the_path_has_its_time_and_is_warned_of(
    mover: Mover, speed: float, distance: float, crf: int | None
) -> None:
    frames = filmed([mover], 36, speed)
    found = warned(frames if crf is None else through_h264(frames, crf))
    errors = []
    for result in found:
        newest = result.pair.newest
        true = distance / 0.12 / RATE - float(newest.time)
        seen = [
            part for part in result.objects if 2 * (part.mask & newest.truth.moving).sum() > part.mask.sum()
        ]
        errors += [part.time_to_contact / true - 1 for part in seen if part.time_to_contact is not None]
        if true < 0.85 * LIMIT:
            assert any((part.mask & newest.truth.moving).any() for part in result.looming)
        if true > 1.2 * LIMIT:
            assert not result.looming
    assert len(errors) > 15
    assert np.median(np.abs(errors)) < (0.03 if crf is None else 0.12)


@pytest.mark.parametrize(
    "mover", [GONE_BEFORE, OVERTAKER, KEEPING], ids=["gone before", "overtaker", "keeping"]
)
def test_nobody_is_warned_of_what_does_not_come_into_the_path(mover: Mover) -> None:
    assert not any(result.looming for result in warned(filmed([mover], 30, SPEED)))
