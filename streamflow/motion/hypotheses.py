"""The motions with parallax that may explain the flow: searched for, refined, the most probable first."""

from collections.abc import Iterable
from typing import NamedTuple, TypeGuard

import numpy as np
import numpy.typing as npt

from streamflow.geometry.homography import planar_motions
from streamflow.geometry.pose import Pose
from streamflow.geometry.rotation import axis_angle_between
from streamflow.kernels.robust import robust_scale
from streamflow.motion.cheirality import MIN_AGREEMENT, agreement, facing
from streamflow.motion.epipolar import TUNING, residuals
from streamflow.motion.likelihood import MIN_NOISE, fit_scene
from streamflow.motion.refine import refine
from streamflow.motion.search import APART, search_everywhere, search_near, start_rotation
from streamflow.values import Matrix, Motion

JOINT_SCALES = np.array([2.0, 1.5, 1.0, 1.0, 1.0, 1.0])
COLD_SCALES = (
    1.0,
    0.4,
)  # of the predicted error: with the smaller, much that moves by itself outvotes no scene
RESCALINGS, MISJUDGED = 2, 1.5  # how often the search is repeated, and from which noise scale
RANKING_STEPS = 4  # of expectation maximisation: enough to rank
STALE = 0.7  # of the last inliers: with fewer the last motion is no guide


class Samples(NamedTuple):
    """Matches in three sizes: all, enough to tell two motions apart, enough to find one."""

    matches: Matrix  # (7, N)
    order: npt.NDArray[np.int64]  # (N,) random: the smaller sets are its first
    joint_set: Matrix
    search_set: Matrix
    outlier: Matrix  # (N,) of `matches`
    joint_outlier: Matrix
    search_outlier: Matrix
    focal: float  # pixels


class Hypothesis(NamedTuple):
    """A motion with parallax, with the more probable sign, and how well it explains the search set."""

    pose: Pose
    evidence: float  # nats a match


def hypotheses(samples: Samples, start: Matrix, prior: Motion | None, plane: Matrix) -> list[Hypothesis]:
    """Motions that may explain the flow, the most probable first, `APART` from one another.

    Parameters
    ----------
    start : (3, 3) a rotation near that of the motion
    prior : the motion of the pair before
    plane : (3, 3) the homography that explains most of the flow; its motions are candidates too
    """
    found = list(_ranked(samples, _searched(samples, start, prior)))
    twins = planar_motions(plane, samples.joint_set[:2])
    found += _ranked(samples, [Pose(twin.R, twin.T) for twin in twins if twin.T.any()])
    distinct: list[Hypothesis] = []
    for hypothesis in sorted(found, key=lambda each: -each.evidence):
        if all(axis_angle_between(hypothesis.pose.T, other.pose.T) > APART for other in distinct):
            distinct.append(hypothesis)
    return distinct


def signed(matches: Matrix, pose: Pose, scale: float) -> tuple[Pose, float]:
    """The motion with most points in front of the camera, and how far they agree, 0 .. 1."""
    r2 = (residuals(matches, *pose) / (TUNING * scale)) ** 2
    vote = agreement(facing(matches, pose, scale), 1.0 / (1.0 + r2) ** 2)
    return (Pose(pose.R, -pose.T) if vote < 0 else pose), abs(vote)


def known_poses(prior: Motion | None) -> list[Pose]:
    """The motion of the pair before and its alternatives, as far as they are known."""
    if prior is None:
        return []
    return [
        Pose(motion.rotation, motion.translation.direction)
        for motion in (prior, *prior.alternatives)
        if motion.translation is not None and is_finite(motion.rotation)
    ]


def is_finite(array: Matrix | None) -> TypeGuard[Matrix]:
    """Whether the array is there and every entry of it a number."""
    return array is not None and bool(np.isfinite(array).all())


def _searched(samples: Samples, start: Matrix, prior: Motion | None) -> list[Pose]:
    """Motions from the last one on, or where it is no guide from everywhere."""
    if prior is not None and (known := known_poses(prior)):
        near = [_refined(samples, search_near(samples.search_set, pose, 1.0), 1.0) for pose in known]
        if not _is_stale(samples.joint_set, near[0], prior):
            return near
    found = [pose for scale in COLD_SCALES for pose in _cold(samples, start, scale)]
    for _ in range(RESCALINGS):  # the errors may be far larger than predicted
        noise = min(robust_scale(residuals(samples.joint_set, *pose)) for pose in found)
        if noise < MISJUDGED:
            break
        found += _cold(samples, start, noise)
    return found


def _cold(samples: Samples, start: Matrix, scale: float) -> list[Pose]:
    R = start_rotation(samples.search_set, start, scale)
    return [_refined(samples, pose, scale) for pose in search_everywhere(samples.search_set, R, scale)]


def _refined(samples: Samples, pose: Pose, scale: float) -> Pose:
    return refine(samples.joint_set, pose, samples.focal, scale * JOINT_SCALES)


def _ranked(samples: Samples, poses: Iterable[Pose]) -> Iterable[Hypothesis]:
    """Each motion with both signs where the points do not agree on one.

    A plane explains two motions, of which one turns and hardly changes depth: so depths about a plane and
    depths of any kind have the same say.
    """
    matches, outlier, focal = samples.search_set, samples.search_outlier, samples.focal
    for found in poses:
        scale = max(robust_scale(residuals(matches, *found)), MIN_NOISE)
        pose, vote = signed(matches, found, scale)
        for each in [pose] if vote >= MIN_AGREEMENT else [pose, Pose(pose.R, -pose.T)]:
            about = [
                fit_scene(matches, each, outlier, focal, about_plane=plane, steps=RANKING_STEPS).evidence
                for plane in (True, False)
            ]
            yield Hypothesis(each, sum(about) / 2)


def _is_stale(matches: Matrix, pose: Pose, prior: Motion) -> bool:
    share = np.mean(np.abs(residuals(matches, *pose)) < TUNING)
    return bool(share < STALE * prior.inlier_share)
