"""Every model of a pair, fitted robustly, and the evidence for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from streamflow.geometry.pose import Pose
from streamflow.kernels.robust import robust_scale
from streamflow.motion.cheirality import MIN_AGREEMENT
from streamflow.motion.epipolar import TUNING, residuals
from streamflow.motion.focal_length import behind_focal_length, rotation_likelihoods
from streamflow.motion.homography import (
    STEADY,
    fit_homography,
    fit_rolling_rotation,
    transfer,
)
from streamflow.motion.hypotheses import Hypothesis, Samples, hypotheses, is_finite, signed
from streamflow.motion.lens_rotation import LensRotation, fit_lens_rotation
from streamflow.motion.likelihood import (
    MIN_NOISE,
    SceneFit,
    along_lines,
    fit_mapping,
    fit_scene,
    judge_scene,
    outlier_density,
)
from streamflow.motion.refine import refine
from streamflow.motion.selection import ROTATION_ADVANTAGE, STILL_ADVANTAGE
from streamflow.motion.translation import find_translation
from streamflow.values import Evidence, Matrix, Motion

Order = npt.NDArray[np.int64]

SEARCH, JOINT = 300, 600  # matches: enough to find a motion, and to tell two apart
POLISH_SCALES = np.ones(30)
PLANE_POLISH_SCALES = np.ones(4)
COARSE_SCALES = np.array([30.0, 20.0, 10.0, 5.0, 3.0, 2.0, 1.0, 1.0, 1.0])
ROTATION_POLISH_SCALES = np.ones(8)
# Of the flow a rotation makes: so much of it focal length and lens may turn into what looks like parallax.
INEXACT_CAMERA = 0.01
LEAST_GAIN = 0.05  # nats a match: a homography that explains no more than a rotation leaves nothing to a lens
# Nats a match for each time that a rotation changes by itself from the first row to the last, past one:
# a shutter takes no longer than the time between two frames, and a hand starts and stops within a few.
ROLLING_PRICE = 0.3
ZOOM_HANDICAP = 0.3  # nats a match: lenses seldom zoom, and going forward looks much like it


class MappingFit(NamedTuple):
    """A motion without parallax, judged."""

    squared: Matrix  # (N,) transfer errors over their variance
    evidence: float  # nats a match
    noise: float  # of the predicted error


class Turning(NamedTuple):
    """What explains the pair best without parallax."""

    R: Matrix  # (3, 3)
    fit: MappingFit
    zoom: float = 1.0  # the target's focal length over the reference's
    focal_lengths: Matrix | None = None  # (2, G) those that were tried, and how well each explains the pair


@dataclass(frozen=True, eq=False)
class Models:
    """Every model of one pair."""

    samples: Samples
    still: MappingFit
    turning: Turning
    plane: Matrix  # (3, 3) homography
    pose: Pose  # with parallax, the most probable
    noise: float  # of the predicted error, under that pose
    sign_evidence: float  # nats a match by which it beats its opposite; infinite: points agree
    search_evidence: float  # of the pose, when it was found
    rivals: list[Hypothesis]  # other poses
    evidence: Evidence


def fit_models(
    matches: Matrix, order: Order, focal: float, prior: Motion | None, log_focals: Matrix | None
) -> Models:
    """Fit still, turning, planar and moving, each with a noise scale of its own.

    Parameters
    ----------
    matches : (7, N), from `calibrate`
    order : (N,) a random order
    focal : focal length, pixels
    prior : the motion of the pair before
    log_focals : (G,) logarithms of the focal lengths, over the camera matrix's, that a rotation may have;
        None: the camera matrix has the true one
    """
    samples = _samples(matches, order, focal)
    start = np.eye(3) if prior is None or not is_finite(prior.rotation) else prior.rotation
    rotation, rolling_rate = fit_rolling_rotation(samples.joint_set, start, STEADY, TUNING * COARSE_SCALES)
    plane = fit_homography(samples.search_set, rotation, TUNING * COARSE_SCALES)
    candidates = hypotheses(samples, start, prior, plane)
    best = candidates[0]
    scale = max(robust_scale(residuals(samples.joint_set, *best.pose)), MIN_NOISE)
    pose = refine(matches, best.pose, focal, scale * POLISH_SCALES)
    pose, moving, sign = _with_sign(samples, pose, scale)
    scale = moving.noise
    relief = judged(samples, pose, about_plane=True).evidence
    plane = fit_homography(samples.joint_set, plane, TUNING * scale * PLANE_POLISH_SCALES)
    still = _mapped(samples, np.eye(3), STEADY, 0.0)
    planar = _mapped(samples, plane, STEADY, 0.0).evidence
    needed = max(moving.evidence, still.evidence + STILL_ADVANTAGE) - ROTATION_ADVANTAGE
    turning = _mapped_rotation(samples, rotation, rolling_rate)
    if planar + LEAST_GAIN > needed:  # no rotation explains much more than the best homography
        turning = _fit_turning(samples, rotation, rolling_rate, scale, planar, log_focals)
    evidence = Evidence(still.evidence, turning.fit.evidence, planar, moving.evidence, relief - planar)
    return Models(
        samples,
        still,
        turning,
        plane,
        pose,
        scale,
        sign,
        best.evidence,
        candidates[1:],
        evidence,
    )


def fit_translating_models(matches: Matrix, rng: np.random.Generator, focal: float) -> Models:
    """The same for a camera that does not turn: it stands still or moves, and nothing else."""
    samples = _samples(matches, rng.permutation(matches.shape[1]), focal)
    pose = find_translation(matches, focal, rng)
    scale = max(robust_scale(residuals(matches, *pose)), MIN_NOISE)
    pose, moving, sign = _with_sign(samples, pose, scale)
    still = _mapped(samples, np.eye(3), STEADY, 0.0)
    evidence = Evidence(still.evidence, -np.inf, -np.inf, moving.evidence, np.inf)
    turning = Turning(np.eye(3), still)
    return Models(samples, still, turning, np.eye(3), pose, moving.noise, sign, np.inf, [], evidence)


def _samples(matches: Matrix, order: Order, focal: float) -> Samples:
    outlier = outlier_density(matches, focal)
    joint, search = order[:JOINT], order[:SEARCH]
    few, fewest = (np.ascontiguousarray(matches[:, chosen]) for chosen in (joint, search))
    return Samples(matches, order, few, fewest, outlier, outlier[joint], outlier[search], focal)


def _with_sign(samples: Samples, pose: Pose, scale: float) -> tuple[Pose, SceneFit, float]:
    """The pose with the more probable sign, its fit, and by how much it is more probable, nats a match.

    Infinite where the points agree: then the other need not be judged.
    """
    pose, vote = signed(samples.matches, pose, scale)
    joint, density, focal = samples.joint_set, samples.joint_outlier, samples.focal
    poses = [pose] if vote >= MIN_AGREEMENT else [pose, Pose(pose.R, -pose.T)]
    fits = [fit_scene(joint, each, density, focal, about_plane=False) for each in poses]
    best = int(np.argmax([fit.evidence for fit in fits]))
    lead = np.inf if len(fits) == 1 else fits[best].evidence - fits[1 - best].evidence
    return poses[best], _judged_by_all(samples, poses[best], fits[best], about_plane=False), float(lead)


def judged(samples: Samples, pose: Pose, *, about_plane: bool) -> SceneFit:
    """The mixture of a motion, fitted to the joint set, judged by all."""
    joint, outlier, focal = samples.joint_set, samples.joint_outlier, samples.focal
    fit = fit_scene(joint, pose, outlier, focal, about_plane=about_plane)
    return _judged_by_all(samples, pose, fit, about_plane=about_plane)


def _judged_by_all(samples: Samples, pose: Pose, fit: SceneFit, *, about_plane: bool) -> SceneFit:
    lines = along_lines(samples.matches, *pose)
    all_of = lines, samples.matches, samples.outlier, samples.focal
    return judge_scene(*all_of, fit.parameters, about_plane=about_plane, steps=0)


def _mapped(samples: Samples, H: Matrix, rolling_rate: Matrix, inexact: float) -> MappingFit:
    squared, log_ratio = transfer(samples.matches, H, rolling_rate, inexact)
    return MappingFit(squared, *fit_mapping(squared, log_ratio, samples.outlier, samples.order[:JOINT]))


def _mapped_rotation(samples: Samples, R: Matrix, rolling_rate: Matrix) -> Turning:
    fit = _mapped(samples, R, rolling_rate, INEXACT_CAMERA)
    handicap = ROLLING_PRICE * max(0.0, _unevenness(samples, R, rolling_rate) - 1.0)
    return Turning(R, fit._replace(evidence=fit.evidence - handicap))


def _unevenness(samples: Samples, R: Matrix, rolling_rate: Matrix) -> float:
    """By how much of the rotation, and a pixel, it differs from the first row to the last."""
    across = float(np.linalg.norm(rolling_rate) * np.ptp(samples.matches[1]))
    angle = float(np.linalg.norm(cv2.Rodrigues(R)[0]))
    return across / (angle + 1.0 / samples.focal)


def _fit_turning(
    samples: Samples, R: Matrix, rolling_rate: Matrix, scale: float, planar: float, log_focals: Matrix | None
) -> Turning:
    """A rotation, with its shutter, or with its lens where a homography explains more than that."""
    scales = TUNING * scale * ROTATION_POLISH_SCALES
    turning = _mapped_rotation(samples, *fit_rolling_rotation(samples.matches, R, rolling_rate, scales))
    focal, tried = 0.0, None
    if log_focals is not None:
        nats, best = rotation_likelihoods(samples.matches, samples.outlier, R, TUNING * scale, log_focals)
        R, focal, tried = best.R, best.log_focal, np.stack([log_focals, nats])
        behind = samples._replace(matches=behind_focal_length(samples.matches, focal))
        rolling = fit_rolling_rotation(behind.matches, R, best.rolling_rate, scales)
        turning = max(turning, _mapped_rotation(behind, *rolling), key=_evidence)
    for zooms, handicap in ((False, 0.0), (True, ZOOM_HANDICAP)):
        could_gain = planar > turning.fit.evidence + max(handicap, LEAST_GAIN)
        if could_gain and (zooms or log_focals is not None):
            known = log_focals is None
            lens = fit_lens_rotation(
                samples.matches, R, focal, TUNING * scale, focal_known=known, zooms=zooms
            )
            turning = max(turning, _behind_lens(samples, lens, handicap), key=_evidence)
    return turning._replace(focal_lengths=tried)


def _evidence(turning: Turning) -> float:
    return turning.fit.evidence


def _behind_lens(samples: Samples, lens: LensRotation, handicap: float) -> Turning:
    """A rotation behind a lens of its own; `handicap` is what its evidence is lessened by."""
    fit = _mapped(samples, lens.homography, STEADY, INEXACT_CAMERA)
    return Turning(lens.R, fit._replace(evidence=fit.evidence - handicap), float(np.exp(lens.log_zoom)))
