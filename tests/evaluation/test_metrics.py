"""The error measures against numbers worked out by hand."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from streamflow.evaluation import metrics
from streamflow.evaluation.flicker import FRAMES, Flicker
from streamflow.evaluation.scores import Scores
from streamflow.evaluation.truth import PairTruth
from streamflow.values import Depth, Frame
from tests.support.made_results import make_result

TRUTH = np.zeros((2, 3, 2), np.float32)
TRUTH[..., 0] = 10


def test_endpoint_error_is_a_length() -> None:
    found = TRUTH + np.array([3, 4], np.float32)
    np.testing.assert_allclose(metrics.endpoint_error(found, TRUTH), 5)


def test_unknown_truth_is_unknown_error() -> None:
    truth = TRUTH.copy()
    truth[0, 0] = np.nan
    error = metrics.endpoint_error(TRUTH, truth)
    assert np.isnan(error[0, 0])
    assert np.nansum(error) == 0


def test_angular_error_of_one_pixel_across_from_rest_is_45_degrees() -> None:
    rest = np.zeros((1, 1, 2), np.float32)
    across = np.array([[[1, 0]]], np.float32)
    assert metrics.angular_error(across, rest)[0, 0] == pytest.approx(45)


def test_an_outlier_is_off_by_three_pixels_and_five_percent() -> None:
    truth = np.array([[[100, 0], [100, 0], [10, 0], [10, 0]]], np.float32)
    found = truth + np.array([[[4, 0], [6, 0], [4, 0], [2, 0]]], np.float32)
    assert metrics.outlier_share(metrics.endpoint_error(found, truth), truth) == pytest.approx(50)


def test_ausr_is_0_for_the_true_order_1_for_none_and_more_for_the_wrong_one() -> None:
    rng = np.random.default_rng(3)
    error = rng.exponential(size=20_000).astype(np.float32)
    assert metrics.ausr(error, 3 * error) == pytest.approx(0, abs=1e-9)
    assert metrics.ausr(error, rng.random(error.size)) == pytest.approx(1, abs=0.03)
    assert metrics.ausr(error, -error) > 1.5


def test_the_most_confident_half() -> None:
    error = np.array([1, 2, 3, 4], np.float32)
    assert metrics.most_confident(error, np.array([4, 3, 2, 1], np.float32)) == pytest.approx(3.5)


@pytest.mark.parametrize("degrees", [1e-4, 0.3, 90, 179])
def test_angles_are_exact_from_tiny_to_opposite(degrees: float) -> None:
    turn = Rotation.from_rotvec([0, 0, degrees], degrees=True).as_matrix()
    x = np.array([1.0, 0, 0])
    assert metrics.angle(x, turn @ x) == pytest.approx(degrees, rel=1e-6)
    assert metrics.rotation_angle(np.eye(3), turn) == pytest.approx(degrees, rel=1e-6)


def test_the_unit_of_depth_is_free_and_the_rest_is_error() -> None:
    truth = np.full((10, 10), 0.1, np.float32)
    found = 3 * truth
    found[0] *= 1.2
    found[1] = np.nan
    errors, scale = metrics.depth_errors(found, truth, np.ones(truth.shape, bool))
    assert scale == pytest.approx(3)
    assert errors.size == 90
    np.testing.assert_allclose(np.sort(errors)[-10:], 0.2, rtol=1e-5)


def test_abs_rel_is_of_depth_and_caps_it_at_the_deepest() -> None:
    z = np.linspace(2, 10, 101, dtype=np.float32)[None]
    found = 3 / z
    found[0, :20] = 3 / (1.25 * z[0, :20])  # 25% too deep
    found[0, 40] = -0.01  # behind infinity counts as the deepest
    expected = (20 * 0.25 + (10 / z[0, 40] - 1)) / 101
    everywhere = np.ones(z.shape, bool)
    assert metrics.absolute_relative_error(found, 1 / z, everywhere, 3.0) == pytest.approx(expected, rel=1e-4)


def test_flicker_is_the_spread_over_time_of_a_point_that_moves_through_the_image() -> None:
    """A pattern of ratios moves 2 pixels to the right each frame; its values scatter by 3% about it."""
    rng = np.random.default_rng(1)
    pattern = rng.uniform(0.5, 2, (61, 97))
    vectors = np.zeros((61, 97, 2))
    vectors[..., 0] = -2
    visible = np.ones((61, 97), np.bool_)
    visible[:, :2] = False
    steady, scattered = Flicker(), Flicker()
    for i in range(FRAMES + 2):
        ratio = np.roll(pattern, 2 * i, axis=1)
        ratio[20, 30] = np.nan
        still = steady.add(ratio, vectors, visible)
        found = scattered.add(ratio * rng.normal(1, 0.03, ratio.shape), vectors, visible)
        assert (found is None) == (still is None) == (i < FRAMES - 1)
    # The median of five normal numbers' standard deviation is .84 of the true one (chi, four degrees).
    assert found == pytest.approx(0.03 * np.sqrt(3.3567 / 5), rel=0.03)
    assert still == pytest.approx(0, abs=1e-6)


def test_flicker_is_unknown_where_no_point_is_known_long_enough() -> None:
    flicker = Flicker()
    ratio, vectors = np.full((9, 11), np.nan), np.zeros((9, 11, 2))
    assert [flicker.add(ratio, vectors, np.ones((9, 11), np.bool_)) for _ in range(6)] == [None] * 6


@pytest.mark.filterwarnings("error")
def test_a_sequence_without_any_depth_has_no_error_of_depth() -> None:
    image = np.zeros((5, 7, 3), np.uint8)
    unknown, scores = np.full((5, 7), np.nan, np.float32), Scores()
    depth = Depth(unknown, unknown, np.ones((5, 7), np.uint8))
    seen = np.ones((5, 7), bool)
    still = np.zeros((5, 7, 2), np.float32)
    result = make_result(Frame(1, image), Frame(0, image), depth=depth)
    scores.add_fused(result, PairTruth(step=1.0, vectors=still, inverse_depth=unknown + 1, visible=seen))
    assert scores.summary() == {"fused_depth_coverage": 0.0, "filled_depth_coverage": 0.0}


def test_calibration_counts_deciles_whose_median_error_is_as_predicted():
    rng = np.random.default_rng(4)
    sigma = rng.uniform(0.1, 5, 20_000).astype(np.float32)
    error = np.hypot(*(sigma * rng.normal(size=(2, sigma.size)))).astype(np.float32)
    assert metrics.calibration(error, sigma) == 1
    assert metrics.calibration(error, 3 * sigma) == 0
    half_wrong = np.where(sigma > np.median(sigma), 3 * error, error)
    assert metrics.calibration(half_wrong, sigma) == 0.5
