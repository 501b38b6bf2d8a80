"""The errors that the motion states are as large as the errors that it makes."""

import numpy as np
import pytest

from streamflow.geometry.epipole import ellipse, pixel, pixel_covariance
from streamflow.motion.estimate import estimate_motion
from streamflow.motion.sampling import FlowPoints
from streamflow.values import Status
from tests.support.two_views import INSIDE, K, parameters_error, view


def test_systematic_error_widens_the_direction_only():
    points = view(INSIDE).points
    plain, wide = estimate_motion(points, K), estimate_motion(points, K, systematic=0.01)
    np.testing.assert_allclose(
        wide.translation.covariance - plain.translation.covariance, np.diag([1e-4, 1e-4, 0, 0, 0]), atol=1e-15
    )
    np.testing.assert_array_equal(wide.translation.direction, plain.translation.direction)


@pytest.mark.parametrize(("outliers", "scale"), [(0.0, 1.0), (0.4, 1.0), (0.2, 3.0)])
def test_errors_are_as_large_as_the_covariance_says(outliers, scale):
    """Mean NEES per parameter is 1 when calibrated, even if the predicted errors are wrong by `scale`."""
    nees, count = [], 40
    for seed in range(count):
        direction = np.random.default_rng(seed).normal(size=3)
        truth = view(direction, outliers=outliers, seed=seed)
        told = FlowPoints(truth.points.positions, truth.points.vectors, truth.points.covariance / scale**2)
        motion = estimate_motion(told, K, seed=seed)
        error = parameters_error(motion, truth)
        nees.append(error @ np.linalg.solve(motion.translation.covariance, error) / 5)
    assert 0.6 < np.mean(nees) < 1.7


def test_a_small_parallax_promises_no_more_than_it_holds():
    """Parallax of six times the noise and forward: the cost bends much less than J'J says."""
    nees = []
    for seed in range(40):
        truth = view(INSIDE, step=0.002, seed=seed)
        motion = estimate_motion(truth.points, K, seed=seed)
        if motion.status is Status.MOVING:
            error = parameters_error(motion, truth)
            nees.append(error @ np.linalg.solve(motion.translation.covariance, error) / 5)
    assert len(nees) > 30
    assert 0.6 < np.mean(nees) < 1.7


def test_the_ellipse_holds_the_scatter_of_the_epipole():
    """The pixel covariance against the scatter over repeated noise on one scene."""
    found, predicted = [], []
    for seed in range(40):
        truth = view(INSIDE, noise=0.0)
        rng = np.random.default_rng(seed)
        vectors = truth.points.vectors + 0.05 * rng.normal(size=truth.points.vectors.shape)
        covariance = np.broadcast_to(0.05**2 * np.eye(2), truth.points.covariance.shape)
        motion = estimate_motion(FlowPoints(truth.points.positions, vectors, covariance), K)
        found.append(pixel(motion.translation.epipole, K))
        predicted.append(pixel_covariance(motion, K))
    ratio = np.trace(np.cov(np.array(found).T)) / np.trace(np.mean(predicted, axis=0))
    assert 0.5 < ratio < 2.0
    shape = ellipse(motion, K)
    assert shape.major**2 + shape.minor**2 == pytest.approx(np.trace(predicted[-1]))
