"""The focal length of a lens that nobody described, from the pairs between which the camera turns.

A rotation seen with a focal length that is wrong by the factor s is no rotation: its errors grow with the
square of the distance from the centre (Hartley & Zisserman 2004, 19.7, calibration from rotating cameras). So
every pair has a likelihood over focal lengths, with the shutter's rolling as free as the rotation, and a
histogram filter multiplies them up over the stream (Thrun, Burgard & Fox 2005, Probabilistic Robotics, 4.1).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from streamflow.geometry.camera import LENSES_SPREAD, Camera
from streamflow.motion.homography import STEADY, fit_rolling_rotation, transfer
from streamflow.motion.likelihood import INDEPENDENT, fit_mapping
from streamflow.values import CameraSource, Matrix, Motion, Status

GRID = np.linspace(-1.2, 1.6, 29)  # logarithms of focal lengths over the assumed one: 125 to 13 degrees
FINE = np.linspace(-1.2, 1.6, 281)  # between them the likelihood is interpolated
SEARCHED = 400  # points: enough to tell focal lengths apart
STEPS = 6
KEPT = 0.8  # of what earlier pairs said: their errors are alike too, those of a codec most of all
RESOLVED = 0.05  # of the focal length: what a lens's distortion leaves
KNOWN = 0.2  # of the focal length: an estimate this sure is better than the assumption
REACH = 4.0  # standard deviations: farther from the estimate no lens is tried


class FocalLength(NamedTuple):
    """A focal length with its error."""

    log_ratio: float  # logarithm of the focal length over the assumed one
    sigma: float  # standard deviation of the logarithm: relative


class RotationFit(NamedTuple):
    """A rotation and its shutter behind the focal length that suits them best."""

    log_focal: float  # over that of the camera matrix
    R: Matrix  # (3, 3)
    rolling_rate: Matrix  # (3,)


def behind_focal_length(matches: Matrix, log_focal: float) -> Matrix:
    """Matches (7, N) as a camera matrix whose focal length is longer by that logarithm would have them."""
    scaled = np.asarray(matches * np.exp(-log_focal))
    scaled[4:] *= np.exp(-log_focal)
    return scaled


def rotation_likelihoods(
    matches: Matrix, outlier: Matrix, R: Matrix, scale: float, log_focals: Matrix
) -> tuple[Matrix, RotationFit]:
    """How well a rotation behind each focal length explains the matches, nats a match, and the best one.

    Parameters
    ----------
    matches : (7, N), from `calibrate`
    outlier : (N,) from `outlier_density`
    R : (3, 3) where to start
    scale : Geman-McClure scale, in standard deviations of a match
    log_focals : (G,) over that of the camera matrix
    """
    every = -(-matches.shape[1] // SEARCHED)
    few, chance = np.ascontiguousarray(matches[:, ::every]), np.ascontiguousarray(outlier[::every])
    order = np.arange(few.shape[1])
    evidence, fits = np.empty(log_focals.size), []
    for k, log_focal in enumerate(log_focals):
        scaled = behind_focal_length(few, log_focal)
        turn, rate = fit_rolling_rotation(scaled, R, STEADY, scale * np.ones(STEPS))
        squared, log_ratio = transfer(scaled, turn, rate, 0.0)
        evidence[k], _ = fit_mapping(squared, log_ratio, chance, order)
        fits.append(RotationFit(float(log_focal), turn, rate))
    return evidence, fits[int(evidence.argmax())]


class FocalLengthFilter:
    """Remembers how probable each focal length is, and which one the camera matrix has."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the past: another lens, or one that zooms."""
        self._likelihood: Matrix = np.zeros(FINE.size)  # logarithm, up to a constant
        self._used = FocalLength(0.0, LENSES_SPREAD)

    def applied_to(self, camera: Camera) -> Camera:
        """Return the camera with the focal length that was found, if nobody says another."""
        if camera.focal_known or self._used.sigma > KNOWN:
            return camera
        return camera.with_focal_length(*self._used)

    def to_try(self, camera: Camera) -> Matrix | None:
        """Logarithms (G,) of focal lengths, over that of the camera, that it may have; None: it is known."""
        if camera.focal_known:
            return None
        mean, sigma = self.estimate
        return np.asarray(GRID[np.abs(GRID - mean) <= REACH * sigma] - self._of(camera))

    def update(self, motion: Motion, camera: Camera) -> None:
        """Take in what a pair between which the camera turned says of its lens."""
        if motion.status is not Status.ROTATION or motion.focal_lengths is None:
            return
        if motion.zoom != 1.0:
            self.reset()
            return
        curve = _interpolated(motion.focal_lengths[0] + self._of(camera), motion.focal_lengths[1])
        self._likelihood = KEPT * self._likelihood + INDEPENDENT * (curve - curve.max())
        found = self.estimate
        if self._used.sigma > KNOWN or abs(found.log_ratio - self._used.log_ratio) > found.sigma:
            self._used = found
        self._used = self._used._replace(sigma=found.sigma)

    @property
    def estimate(self) -> FocalLength:
        """Mean and standard deviation."""
        log_probability = self._likelihood - 0.5 * (FINE / LENSES_SPREAD) ** 2
        weights = np.exp(log_probability - log_probability.max())
        weights /= weights.sum()
        mean = float(weights @ FINE)
        return FocalLength(mean, float(np.sqrt(weights @ (FINE - mean) ** 2 + RESOLVED**2)))

    def _of(self, camera: Camera) -> float:
        return self._used.log_ratio if camera.source is CameraSource.ESTIMATED else 0.0


def _interpolated(log_focals: Matrix, nats: Matrix) -> Matrix:
    """The likelihood at `FINE`; outside what was tried that of the nearest."""
    from scipy.interpolate import CubicSpline

    within = np.clip(FINE, log_focals[0], log_focals[-1])
    return np.asarray(CubicSpline(log_focals, nats)(within))
