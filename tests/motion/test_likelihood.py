"""The evidence for a motion against integrals, against the truth, and over time."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from streamflow.geometry.pose import Pose
from streamflow.geometry.rotation import rotation_exp, unit
from streamflow.motion.epipolar import calibrate, inverse_depth, residuals
from streamflow.motion.focal_length import behind_focal_length
from streamflow.motion.homography import STEADY, fit_rotation, transfer_errors
from streamflow.motion.lens_rotation import fit_lens_rotation
from streamflow.motion.likelihood import along_lines, fit_mapping, maximise_scene, outlier_density
from streamflow.motion.sampling import without_copies
from streamflow.motion.selection import likeliest
from streamflow.motion.status_filter import StatusFilter
from streamflow.values import Evidence, Status

K = np.array([[150.0, 0, 81.0], [0, 145.0, 52.0], [0, 0, 1]])
POSE = Pose(rotation_exp(np.array([0.02, -0.01, 0.03])), unit(np.array([0.4, -0.2, 0.8])))
REACH = 0.2


def some_matches(n=60, seed=0):
    rng = np.random.default_rng(seed)
    factor = rng.normal(size=(n, 2, 2))
    covariance = factor @ factor.transpose(0, 2, 1) + 0.1 * np.eye(2)
    return calibrate(rng.uniform(0, 100, (n, 2)), rng.normal(size=(n, 2)), covariance, K)


def test_across_and_along_the_line_are_the_residual_and_the_inverse_depth():
    matches = some_matches()
    r, z, v, stretch = along_lines(matches, *POSE)
    np.testing.assert_allclose(np.abs(r), np.abs(residuals(matches, *POSE)), rtol=1e-9)
    np.testing.assert_allclose(z / v, inverse_depth(matches, *POSE)[0], rtol=1e-9)
    assert (stretch > 0).all()


@pytest.mark.parametrize(
    "plane", [(0.0, 0.0, 0.0), (0.02, -0.05, 0.1)], ids=["about infinity", "about a plane"]
)
@pytest.mark.parametrize(("r", "z", "v"), [(0.3, 2.0, 30.0), (-1.0, -1.5, 5.0), (0.5, 0.2, 0.01)])
def test_the_depth_is_integrated_out(plane, r, z, v):
    """Against the integral over every inverse depth in front of the camera."""
    k, spread, a = 0.7, 0.08, np.array([0.2, 0.3])
    mean = max(float(np.dot(plane, (*a, 1.0))), 0.0)

    def density(rho):
        return norm.pdf(z, rho * v, k) * norm.pdf(rho, mean, spread) / norm.sf(0.0, mean, spread)

    expected = norm.pdf(r, 0.0, k) * quad(density, 0.0, mean + 12 * spread, epsabs=1e-14)[0]
    lines = np.array([[r], [z], [v], [1.0]])
    matches = np.vstack([a[:, None], np.zeros((5, 1))])
    parameters = np.array([k, spread, 1.0, 0.0, 0.0, *plane])
    found = maximise_scene(lines, matches, np.zeros(1), REACH, parameters, 0, True)
    assert found == pytest.approx(np.log(expected), abs=1e-6)


def test_a_match_that_cannot_tell_weighs_nothing():
    """Too far for parallax: as probable under a translation as under its rotation, wherever it lies."""
    lines = np.array([[0.4, -0.1], [0.3, 1.1], [1e-4, 1e-4], [1.0, 1.0]])
    parameters = np.array([1.0, 0.1, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    found = maximise_scene(lines, np.zeros((7, 2)), np.zeros(2), REACH, parameters, 0, False)
    assert found == pytest.approx(np.mean(norm.logpdf(lines[:2]).sum(axis=0)), abs=1e-4)


@pytest.mark.parametrize("about_plane", [False, True])
def test_every_step_makes_the_matches_more_probable(about_plane):
    rng = np.random.default_rng(0)
    n = 400
    matches = np.vstack([rng.uniform(-0.5, 0.5, (2, n)), np.zeros((5, n))])
    v = rng.uniform(5, 80, n)
    rho = 0.1 + 0.1 * matches[1] + 0.02 * rng.normal(size=n)
    lines = np.vstack([0.5 * rng.normal(size=n), rho * v + 0.5 * rng.normal(size=n), v, np.full(n, 50.0)])
    lines[1, :60] *= -1.0  # moves by itself
    lines[0, 60:90] += 20.0
    parameters = np.array([1.0, 0.2, 0.6, 0.2, 0.2, 0.0, 0.0, 0.05])
    outlier = np.full(n, 1e-4)
    evidence = [maximise_scene(lines, matches, outlier, REACH, parameters, 1, about_plane) for _ in range(12)]
    # shares are kept off zero by `PRIOR_COUNT`, so that the last steps may give back a little
    assert np.diff(evidence).min() > -1e-3
    assert evidence[-1] > evidence[0] + 0.1
    if about_plane:
        assert parameters[0] == pytest.approx(0.5, rel=0.15)
        np.testing.assert_allclose(parameters[5:], [0.0, 0.1, 0.1], atol=0.02)


def test_a_mapping_finds_the_noise_and_the_share_that_fits():
    rng = np.random.default_rng(0)
    squared = 0.6**2 * rng.chisquare(2, 2000)
    squared[:500] = rng.uniform(50, 5000, 500)
    outlier = np.full(2000, 1e-4)
    evidence, noise = fit_mapping(squared, np.zeros(2000), outlier, np.arange(0, 2000, 3))
    assert noise == pytest.approx(0.6, rel=0.1)
    fits = 0.75 * np.exp(-squared / 0.72) / (2 * np.pi * 0.36)
    assert evidence == pytest.approx(np.mean(np.log(fits + 0.25 * outlier)), abs=0.02)


def test_an_outlier_is_as_likely_anywhere_within_reach():
    matches = some_matches()
    area = np.sqrt(matches[4] * matches[6] - matches[5] ** 2)
    np.testing.assert_allclose(outlier_density(matches, 150.0), area * (150.0 / 30.0) ** 2)


def turned(focal, zoom, *, n=400, noise=1e-5, outliers=0.2):
    """Matches of a turn by 3 degrees, as a camera of focal length 1 would have them."""
    rng = np.random.default_rng(0)
    R = rotation_exp(np.deg2rad([1.0, -2.8, 0.5]) / max(focal, 1.0))
    a = rng.uniform((-0.5, -0.3), (0.5, 0.3), (n, 2))
    b = np.column_stack([a / focal, np.ones(n)]) @ R.T
    b = focal * zoom * b[:, :2] / b[:, 2:] + noise * rng.normal(size=(n, 2))
    bad = rng.random(n) < outliers
    b[bad] += rng.uniform(-0.05, 0.05, (bad.sum(), 2))
    return np.vstack([a.T, b.T, np.full(n, noise**2), np.zeros(n), np.full(n, noise**2)]), R


@pytest.mark.parametrize("focal", [0.55, 1.0, 2.5])
@pytest.mark.parametrize("zoom", [1.0, 1.01])
def test_a_turn_shows_its_focal_length_and_zoom(focal, zoom):
    matches, R = turned(focal, zoom)
    near = np.log(focal) + 0.1
    start = fit_rotation(behind_focal_length(matches, near), np.eye(3), 30.0 * np.ones(9))
    lens = fit_lens_rotation(matches, start, near, 30.0, focal_known=False, zooms=zoom != 1.0)
    lens = fit_lens_rotation(matches, lens.R, lens.log_focal, 3.0, focal_known=False, zooms=zoom != 1.0)
    assert np.exp(lens.log_focal) == pytest.approx(focal, rel=0.02)
    assert np.exp(lens.log_zoom) == pytest.approx(zoom, abs=1e-5)
    np.testing.assert_allclose(lens.R, R, atol=3e-4)
    squared = transfer_errors(matches, lens.homography, STEADY, 0.0)
    # The median of all is the 5/8 quantile of the four fifths that fit: of chi^2 with two degrees of freedom.
    assert np.median(squared) == pytest.approx(-2 * np.log(1 - 0.625), rel=0.1)


def test_a_known_focal_length_is_kept():
    matches, _ = turned(1.0, 1.01)
    lens = fit_lens_rotation(matches, np.eye(3), 0.0, 3.0, focal_known=True, zooms=True)
    assert lens.log_focal == 0.0
    assert np.exp(lens.log_zoom) == pytest.approx(1.01, abs=1e-5)


def test_what_a_codec_copied_is_no_evidence():
    rng = np.random.default_rng(0)
    reference = rng.integers(0, 255, (61, 83), np.uint8)
    target = rng.integers(0, 255, (61, 83), np.uint8)
    target[:, :30] = reference[:, :30]
    sigma = np.full((61, 83), 0.3, np.float32)
    found = without_copies(sigma, reference, target)
    assert np.isinf(found[:, :27]).all()  # of a window of 7 x 7 every pixel has to be the same
    np.testing.assert_array_equal(found[:, 27:], sigma[:, 27:])
    np.testing.assert_array_equal(without_copies(sigma, reference, reference), sigma)  # all stands still


def evidence(static=-9.0, rotation=-9.0, planar=-9.0, moving=-9.0, relief=0.0):
    return Evidence(static, rotation, planar, moving, relief)


@pytest.mark.parametrize(
    ("found", "status"),
    [
        (evidence(static=0.0, rotation=0.3, planar=0.5, moving=0.6), Status.STATIC),
        (evidence(rotation=0.0, planar=0.1, moving=0.2), Status.ROTATION),
        (evidence(rotation=0.0, planar=2.0, moving=0.2, relief=0.1), Status.PLANAR),
        (evidence(rotation=0.0, planar=2.0, moving=0.2, relief=0.4), Status.MOVING),
        (evidence(static=0.0, rotation=0.5, planar=0.6, moving=2.0, relief=0.5), Status.MOVING),
    ],
)
def test_the_simplest_model_that_no_richer_one_clearly_beats(found, status):
    assert likeliest(found) is status


def test_a_status_outlives_one_weak_pair_and_changes_with_the_evidence():
    drives = evidence(static=0.0, rotation=0.5, planar=0.6, moving=2.0, relief=0.5)
    seems_still = evidence(static=0.0, rotation=0.3, planar=0.4, moving=0.7, relief=0.5)
    stands = evidence(static=2.0, rotation=0.1, planar=0.2, moving=0.3)
    status = StatusFilter()
    assert status(drives) is Status.MOVING
    assert likeliest(seems_still) is Status.STATIC
    assert status(seems_still) is Status.MOVING
    assert [status(seems_still) for _ in range(4)][-1] is Status.STATIC  # weak, but again and again
    assert status(drives) is Status.MOVING
    assert status(stands) is Status.STATIC  # strong: at once
    status.reset()
    assert status(seems_still) is Status.STATIC
