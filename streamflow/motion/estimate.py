"""The camera's motion between two frames, with a status that says what is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import numpy as np

from streamflow.geometry.epipole import homogeneous
from streamflow.geometry.homography import planar_motions
from streamflow.geometry.pose import Pose
from streamflow.geometry.rotation import angle_between, axis_angle_between, tangent_basis
from streamflow.motion.cheirality import BEHIND, MIN_AGREEMENT, facing
from streamflow.motion.covariance import covariance
from streamflow.motion.epipolar import TUNING, calibrate, residuals
from streamflow.motion.homography import fit_homography
from streamflow.motion.hypotheses import known_poses, signed
from streamflow.motion.models import (
    PLANE_POLISH_SCALES,
    POLISH_SCALES,
    MappingFit,
    Models,
    fit_models,
    fit_translating_models,
    judged,
)
from streamflow.motion.refine import gates, refine
from streamflow.motion.sampling import FlowPoints
from streamflow.motion.search import APART
from streamflow.motion.selection import likeliest
from streamflow.values import Evidence, Matrix, Motion, Status, Translation

MIN_POINTS = 50
SAME_EVIDENCE = 0.03  # nats a match: two motions that differ by less are equally likely
MIN_INLIER_SHARE = 0.3
MIN_STILL_SHARE = 0.1  # the same where nothing but the camera's rest or turn is claimed
MAX_DIRECTION_SIGMA = np.deg2rad(20.0)  # beyond, the direction is not known
WEIGHT_OF_INLIER = 0.25  # at TUNING standard deviations
MIN_AGREEMENT_CONTINUED = (
    0.5  # of the points on which side of the camera they are, for a camera that goes on as it went
)
# Nats a match: a translation that beats its opposite by more stands, though much be on the wrong side of it:
# that moves by itself.
SURE_OF_SIGN = 0.15
SAME_DIRECTION_SIGMAS = 3.0  # two directions no further apart are one
MAX_HEADING_CHANGE = np.deg2rad(5.0)  # between two pairs of a camera that goes on as it went


def estimate_motion(
    points: FlowPoints,
    camera_matrix: Matrix,
    *,
    prior: Motion | None = None,
    seed: int = 0,
    model: Literal["full", "translation"] = "full",
    forward_in_time: bool = False,
    systematic: float = 0.0,
    log_focals: Matrix | None = None,
    choose: Callable[[Evidence], Status] = likeliest,
) -> Motion:
    """Rotation, direction of translation and epipole of the camera, from flow at points.

    Parameters
    ----------
    points : flow on the reference
    camera_matrix : (3, 3) pixels
    prior : the motion of the pair before: the search starts there, and everywhere if it fits no longer
    seed : of the random choices; the same input gives the same answer
    model : "translation" for a camera that does not turn
    forward_in_time : whether the target is the later frame; decides the sign of the heading
    systematic : radians, by which calibration, lens or shutter may turn the direction of translation: errors
        that the scatter of the points does not show; added to the covariance
    log_focals : (G,) logarithms of the focal lengths, over the camera matrix's, that a camera that turns may
        have; None: the camera matrix has the true one
    choose : the model that the evidence calls for

    Returns
    -------
    Motion
        X_target = R X_reference + T with |T| = 1. Its fields hold what its status says is known, no more.
    """
    if len(points) < MIN_POINTS:
        return Motion(Status.LOW_CONFIDENCE, points=points.positions)
    K = np.asarray(camera_matrix, float)
    matches = calibrate(points.positions, points.vectors, points.covariance, K)
    focal = float(np.sqrt(np.linalg.det(K[:2, :2])))
    rng = np.random.default_rng(seed)
    if model == "translation":
        models = fit_translating_models(matches, rng, focal)
    else:
        models = fit_models(matches, rng.permutation(len(points)), focal, prior, log_focals)
    motion = _motion_of(models, choose(models.evidence), prior, turning=model == "full")
    doubt = np.diag([systematic, systematic, 0.0, 0.0, 0.0]) ** 2
    motion = _with_epipole(motion, K, forward_in_time, doubt)
    zoom = motion.zoom if forward_in_time else 1.0 / motion.zoom
    tried = models.turning.focal_lengths
    return replace(motion, points=points.positions, evidence=models.evidence, zoom=zoom, focal_lengths=tried)


def _motion_of(models: Models, status: Status, prior: Motion | None, *, turning: bool) -> Motion:
    """What the chosen model says of the camera."""
    if status is Status.STATIC:
        return _without_parallax(status, np.eye(3), models.still)
    if status is Status.ROTATION:
        turned = _without_parallax(status, models.turning.R, models.turning.fit)
        return replace(turned, zoom=models.turning.zoom)
    if status is Status.PLANAR:
        pose, *rivals = _planar_poses(models, prior) or [models.pose]
        motion = _with_parallax(status, models, pose, planar=True, prior=prior)
        others = [_with_parallax(Status.MOVING, models, rival, planar=True) for rival in rivals]
        return replace(motion, alternatives=tuple(others))
    motion = _with_parallax(status, models, models.pose, turning=turning, prior=prior)
    others = [_with_parallax(status, models, rival) for rival in _rival_poses(models)]
    others = [other for other in others if not _agree(motion, other)]
    if others and motion.status is Status.MOVING:
        motion = replace(motion, status=Status.AMBIGUOUS)
    return replace(motion, alternatives=tuple(others))


def _rival_poses(models: Models) -> list[Pose]:
    """The hypotheses that are not the best one and explain all matches as well."""
    samples = models.samples
    found: list[Pose] = []
    for rival in models.rivals:
        if rival.evidence < models.search_evidence - SAME_EVIDENCE:
            continue
        pose = refine(samples.matches, rival.pose, samples.focal, models.noise * POLISH_SCALES)
        pose, _ = signed(samples.matches, pose, models.noise)
        fit = judged(samples, pose, about_plane=False)
        apart = all(axis_angle_between(pose.T, other.T) > APART for other in (models.pose, *found))
        if apart and fit.evidence > models.evidence.moving - SAME_EVIDENCE:
            found.append(pose)
    return found


def _agree(first: Motion, second: Motion) -> bool:
    """Whether two directions of translation, but for their sign, differ by no more than their errors."""
    one, other = first.translation, second.translation
    if one is None or other is None:
        return False
    B = tangent_basis(one.direction)
    into = B.T @ tangent_basis(other.direction)
    errors = one.covariance[:2, :2] + into @ other.covariance[:2, :2] @ into.T
    tau = B.T @ other.direction
    return bool(tau @ np.linalg.solve(errors, tau) < SAME_DIRECTION_SIGMAS**2)


def _planar_poses(models: Models, prior: Motion | None) -> list[Pose]:
    """Both motions a plane allows, that of the prior first, else that which fits the points off the plane."""
    samples = models.samples
    plane = fit_homography(samples.matches, models.plane, TUNING * models.noise * PLANE_POLISH_SCALES)
    twins = [Pose(twin.R, twin.T) for twin in planar_motions(plane, samples.matches[:2]) if twin.T.any()]
    poses = [signed(samples.matches, twin, models.noise)[0] for twin in twins]
    if known := known_poses(prior):
        return sorted(poses, key=lambda pose: float(axis_angle_between(pose.T, known[0].T)))
    return sorted(poses, key=lambda pose: float(-np.mean(_inlier_weights(models, pose))))


def _inlier_weights(models: Models, pose: Pose) -> Matrix:
    """Geman-McClure weights (N,) by the distances from the epipolar lines, zero behind the camera."""
    matches = models.samples.matches
    squared = (residuals(matches, *pose) / (TUNING * models.noise)) ** 2
    return np.where(facing(matches, pose, models.noise) > -BEHIND, 1.0 / (1.0 + squared) ** 2, 0.0)


def _without_parallax(status: Status, R: Matrix, fit: MappingFit) -> Motion:
    squared, noise = fit.squared / (TUNING * fit.noise) ** 2, fit.noise
    share = float(np.mean(squared < 1.0))
    if share < MIN_STILL_SHARE:
        return Motion(Status.LOW_CONFIDENCE, inlier_share=share, noise=noise)
    return Motion(status, rotation=R, weights=1.0 / (1.0 + squared) ** 2, inlier_share=share, noise=noise)


def _with_parallax(
    status: Status,
    models: Models,
    pose: Pose,
    *,
    turning: bool = True,
    planar: bool = False,
    prior: Motion | None = None,
) -> Motion:
    """The motion with its sign, weights and covariance; `LOW_CONFIDENCE` where they are too weak."""
    matches, scale = models.samples.matches, models.noise
    by_vote, vote = signed(matches, pose, scale)
    chosen = pose is models.pose  # its sign is already that of the evidence
    pose = pose if chosen else by_vote
    weights = _inlier_weights(models, pose)
    share = float(np.mean(weights > WEIGHT_OF_INLIER))
    spread = covariance(
        matches, pose, gates(matches, pose, models.samples.focal), scale, turning=turning, planar=planar
    )
    direction_known = spread[:2, :2].trace() < MAX_DIRECTION_SIGMA**2  # False for NaN
    least = MIN_AGREEMENT_CONTINUED if _goes_on(pose, prior) else MIN_AGREEMENT
    sign_known = vote >= least or (chosen and models.sign_evidence > SURE_OF_SIGN)
    if share < MIN_INLIER_SHARE or not sign_known or not direction_known:
        return Motion(Status.LOW_CONFIDENCE, inlier_share=share, noise=scale)
    return Motion(
        status,
        rotation=pose.R,
        translation=Translation(pose.T, spread, epipole=pose.R.T @ pose.T),
        weights=weights,
        inlier_share=share,
        noise=scale,
    )


def _goes_on(pose: Pose, prior: Motion | None) -> bool:
    """Whether the camera moves the way it moved in the pair before."""
    if prior is None or prior.translation is None:
        return False
    return bool(angle_between(pose.T, prior.translation.direction) < MAX_HEADING_CHANGE)


def _with_epipole(motion: Motion, K: Matrix, forward_in_time: bool, doubt: Matrix) -> Motion:
    """The motion and its alternatives with their epipole in pixels, `doubt` added to their covariance."""
    R, translation = motion.rotation, motion.translation
    if R is None or translation is None:
        return motion
    epipole = homogeneous(R, translation.direction, K, forward_in_time=forward_in_time)
    return replace(
        motion,
        translation=Translation(translation.direction, translation.covariance + doubt, epipole),
        alternatives=tuple(_with_epipole(other, K, forward_in_time, doubt) for other in motion.alternatives),
    )
