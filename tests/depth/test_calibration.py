"""Error of the flow that a pair tells by itself, on flow whose error is known, and through a real encoder."""

import numpy as np
import pytest

from sources import open_source
from streamflow.depth.calibration import calibrated, off_line
from streamflow.evaluation.depth_scores import SegmentDepthScores
from streamflow.evaluation.truth import pair_truth
from streamflow.pipeline import results
from streamflow.stages import Stage
from tests.support.encode import through_h264
from tests.support.scenes import SHAPE, K, flow_of, noisy, room, turn, unit

R, T = turn((0.4, -0.8, 0.3)), unit((-0.6, 0.1, 0.8))
EXACT = flow_of(0.3 * room().max(axis=0), R, T)


def predicted(sigma: float) -> np.ndarray:
    """Uneven predictions about sigma, as a method's are."""
    return (sigma * np.random.default_rng(1).uniform(0.5, 2, SHAPE)).astype(np.float32)


def test_exact_flow_ends_on_its_lines_and_a_shift_off_them_is_measured():
    assert np.abs(off_line(EXACT, K, R, T)).max() < 1e-3
    sideways = flow_of(np.full(SHAPE, 0.05), np.eye(3), np.array([1.0, 0, 0]))
    shifted = sideways + np.array([0.7, 0.25], np.float32)  # every line runs along x
    np.testing.assert_allclose(
        np.abs(off_line(shifted, K, np.eye(3), np.array([1.0, 0, 0]))), 0.25, rtol=1e-3
    )


def test_what_is_as_exact_as_it_says_stays_and_nothing_gets_surer():
    sigma = predicted(0.2)
    errors = np.random.default_rng(2).normal(0, 1, (*SHAPE, 2)) * sigma[..., None]
    told = calibrated(sigma, (EXACT + errors).astype(np.float32), K, R, T)
    assert (told >= sigma).all()
    assert np.median(told / sigma) < 1.3
    np.testing.assert_array_equal(calibrated(sigma, EXACT, K, R, T), sigma)


@pytest.mark.parametrize("true", [0.2, 0.5])
def test_flow_that_is_worse_than_it_says_is_told_so(true):
    told = calibrated(predicted(0.05), noisy(EXACT, true, seed=3), K, R, T)
    assert true < np.median(told) < 1.35 * true
    assert np.ptp(told) < 0.2 * true  # the prediction says nothing here


def test_unknown_stays_unknown_and_what_moves_by_itself_does_not_count():
    sigma, vectors = predicted(0.2), noisy(EXACT, 0.2, seed=4)
    alone = calibrated(sigma, vectors, K, R, T)
    vectors[30:60, 40:80] += 5
    sigma[90:] = np.inf
    told = calibrated(sigma, vectors, K, R, T)
    assert np.isinf(told[90:]).all()
    assert np.median(told[:90] / alone[:90]) < 1.4


def test_too_few_points_tell_nothing():
    sigma = np.full(SHAPE, np.inf, np.float32)
    sigma[:40, :60] = 0.05
    np.testing.assert_array_equal(calibrated(sigma, noisy(EXACT, 0.5, seed=5), K, R, T), sigma)


@pytest.mark.parametrize("crf", [18, 28, 33])
def test_the_error_bar_of_fused_depth_holds_through_an_encoder(crf):
    source = open_source("demo:turning,size=417x311,frames=7")
    scores = SegmentDepthScores("")
    stages = frozenset({Stage.FLOW, Stage.MOTION, Stage.DEPTH})
    for result in results(through_h264(source, crf), stages, source=source.info):
        truth = pair_truth(result.pair)
        assert truth is not None
        scores.add(result.depth, truth, result.segment)
    found = scores.summary()
    assert 0.85 < found["depth_inside_2_sigma"] < 0.97
    assert found["wild_percent"] < 0.1
    assert found["depth_coverage"] > 0.85
