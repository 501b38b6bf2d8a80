"""The focal length of a lens that nobody described, from pans: likelihood, filter, through an encoder."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from sources.synthetic import SyntheticSource
from streamflow.geometry.camera import Calibration, Camera, field_of_view, matrix_from_fov
from streamflow.geometry.focal_error import motion_covariance
from streamflow.geometry.rotation import rotation_exp, tangent_basis, unit
from streamflow.motion.focal_length import GRID, FocalLengthFilter, rotation_likelihoods
from streamflow.motion.likelihood import outlier_density
from streamflow.pipeline import results
from streamflow.stages import Stage
from streamflow.values import CameraSource, Motion, Status, Translation
from tests.support.encode import through_h264

STAGES = frozenset({Stage.FLOW, Stage.MOTION})
SIZE = (163, 101)


def assumed_camera():
    return Camera(Calibration(matrix_from_fov(60, SIZE)), SIZE, CameraSource.ASSUMED, 0.4)


def turned(log_focal, *, true, sharp=400.0, zoom=1.0, among=GRID):
    """A pair that says the logarithm of the focal length is `true`, over that of a camera at `log_focal`."""
    nats = -0.5 * sharp * (among - (true - log_focal)) ** 2
    return Motion(Status.ROTATION, focal_lengths=np.stack([among, nats]), zoom=zoom)


@pytest.mark.parametrize("focal", [0.6, 1.0, 1.9])
def test_the_likeliest_focal_length_is_the_true_one(focal):
    """Matches of a turn by 4 degrees, a fifth of them wrong, in the coordinates of a focal length of 1."""
    rng = np.random.default_rng(1)
    a = rng.uniform((-0.55, -0.35), (0.55, 0.35), (700, 2))
    seen = np.column_stack([a / focal, np.ones(700)]) @ rotation_exp(np.deg2rad([0.8, -4.0, 0.3])).T
    noise = 2e-4
    b = focal * seen[:, :2] / seen[:, 2:] + noise * rng.normal(size=(700, 2))
    b[::5] += rng.uniform(-0.05, 0.05, (140, 2))
    matches = np.vstack([a.T, b.T, np.full(700, noise**2), np.zeros(700), np.full(700, noise**2)])
    nats, best = rotation_likelihoods(matches, outlier_density(matches, 160.0), np.eye(3), 3.0, GRID)
    assert best.log_focal == pytest.approx(np.log(focal), abs=0.051)  # the nearest of the grid
    assert nats.argmax() == np.abs(GRID - best.log_focal).argmin()


def test_the_filter_finds_what_lies_between_the_grid():
    lens = FocalLengthFilter()
    camera = assumed_camera()
    for _ in range(3):
        seen = lens.applied_to(camera)
        used = np.log(seen.matrix[0, 0] / camera.matrix[0, 0])
        among = lens.to_try(seen)
        assert among is not None
        assert among.size >= 4
        lens.update(turned(used, true=0.35, among=among), seen)
    found = lens.applied_to(camera)
    assert found.source is CameraSource.ESTIMATED
    assert np.log(found.matrix[0, 0] / camera.matrix[0, 0]) == pytest.approx(0.35, abs=0.01)
    assert found.focal_sigma == pytest.approx(0.05, rel=0.1)


def test_a_vague_pair_changes_no_camera():
    lens, camera = FocalLengthFilter(), assumed_camera()
    lens.update(turned(0.0, true=0.35, sharp=0.1), camera)
    assert lens.applied_to(camera) is camera


def test_a_zoom_forgets_the_lens():
    lens, camera = FocalLengthFilter(), assumed_camera()
    lens.update(turned(0.0, true=0.35), camera)
    assert lens.applied_to(camera) is not camera
    lens.update(turned(0.0, true=0.35, zoom=1.02), lens.applied_to(camera))
    assert lens.applied_to(camera) is camera


def test_a_given_focal_length_stays():
    given = Camera(Calibration(matrix_from_fov(60, SIZE)), SIZE)
    lens = FocalLengthFilter()
    assert lens.to_try(given) is None
    lens.update(turned(0.0, true=0.35), given)
    assert lens.applied_to(given) is given


def test_the_error_of_the_focal_length_is_that_of_the_motion():
    """By the other route: the directions of rays to the same pixels, through the longer lens."""
    direction, turn, longer = unit(np.array([0.5, -0.2, 0.8])), np.array([0.02, -0.03, 0.01]), 1e-5
    shrunk = unit(direction / np.array([1 + longer, 1 + longer, 1.0]))
    tau = tangent_basis(direction).T @ (shrunk - direction)
    omega = turn / np.array([1 + longer, 1 + longer, 1.0]) - turn
    growth = np.concatenate([tau, omega]) / longer
    motion = Motion(
        Status.MOVING, rotation_exp(turn), Translation(direction, np.eye(5) * 1e-6, np.array([0, 0, 1.0]))
    )
    found = motion_covariance(motion, 0.2)
    assert found is not None
    np.testing.assert_allclose(
        found, 1e-6 * np.eye(5) + 0.04 * np.outer(growth, growth), rtol=1e-3, atol=1e-9
    )


@pytest.mark.parametrize(("crf", "bound"), [(None, 0.07), (18, 0.1), (23, 0.15)])
@pytest.mark.parametrize("fov", [25, 40, 60, 95])
def test_a_pan_shows_its_field_of_view(fov, crf, bound):
    source = SyntheticSource(f"demo:pan,fov={fov},size=320x240,frames=13")
    info = replace(source.info, camera_matrix=None)
    frames = list(source) if crf is None else through_h264(source, crf)
    *_, last = results(frames, STAGES, source=info)
    assert last.camera_source is CameraSource.ESTIMATED
    found = field_of_view(last.camera_matrix, (320, 240))
    error = abs(np.log(np.tan(np.radians(fov / 2)) / np.tan(np.radians(found / 2))))
    assert error < bound
    assert error < 2 * last.focal_sigma < 0.4


@pytest.mark.parametrize(
    ("scene", "gap", "reason", "known"),
    [("pan,fov=40", "lost", "lost", CameraSource.ESTIMATED), ("oblique", None, "cut", CameraSource.ASSUMED)],
)
def test_a_gap_keeps_the_lens_and_a_cut_forgets_it(scene, gap, reason, known):
    def frames(spelling, first):
        for frame in SyntheticSource(f"demo:{spelling},size=163x121,frames=8"):
            assert frame.time is not None
            at = frame.index + first
            yield replace(frame, index=at, time=Fraction(at, 30), gap=gap if at == 8 else None)

    found = list(results([*frames("pan,fov=40", 0), *frames(scene, 8)], STAGES))
    assert found[6].camera_source is CameraSource.ESTIMATED
    assert found[7].starts_segment == reason
    assert found[7].camera_source is known
