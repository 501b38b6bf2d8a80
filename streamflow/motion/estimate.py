"""The camera's motion between two frames, with a status that says what is known."""

from dataclasses import replace
from typing import Literal, TypeGuard

import numpy as np
import numpy.typing as npt

from streamflow.geometry.epipole import homogeneous
from streamflow.geometry.pose import Pose
from streamflow.geometry.rotation import angle_between, axis_angle_between, tangent_basis
from streamflow.motion.covariance import covariance
from streamflow.motion.epipolar import TUNING, calibrate, residuals
from streamflow.motion.homography import STEADY, fit_homography, fit_rolling_rotation, transfer_errors
from streamflow.motion.planar import decompose
from streamflow.motion.refine import BEHIND, beyond, cost_of, facing, gates, noise_scale, refine
from streamflow.motion.sampling import FlowPoints
from streamflow.motion.search import APART, search_everywhere, search_near, start_rotation
from streamflow.motion.selection import gric, simplest
from streamflow.motion.translation import find_translation
from streamflow.values import Matrix, Motion, Status, Translation

Order = npt.NDArray[np.int64]

FEWEST = 50  # points
SEARCH, JOINT = 300, 600  # points: enough to find a motion, and to tell two apart
JOINT_SCALES = np.array([2.0, 1.5, 1.0, 1.0, 1.0, 1.0])
POLISH_SCALES = np.ones(30)
PLANE_POLISH_SCALES = np.ones(4)
COARSE_SCALES = np.array([30.0, 20.0, 10.0, 5.0, 3.0, 2.0, 1.0, 1.0, 1.0])
TURN_POLISH_SCALES = np.ones(8)
NARROW = 0.75  # a point: a rotation that loses by less is fitted again, to all points
SMALLEST_NOISE = 0.1  # of the predicted error: still images have none
NOISIEST = 10.0  # of the predicted error: beyond, nothing fits
RESCALINGS, MISJUDGED = 3, 1.5  # how often the search is repeated, and from which noise scale
SAME_COST = 0.02  # a point: two motions that differ by less are equally likely
LEAST_INLIERS = 0.3
WIDEST = np.deg2rad(20.0)  # 1 sigma of the direction; beyond, it is not known
# Of the flow a rotation makes: so much of it focal length and lens may turn into what looks like parallax.
INEXACT_CAMERA = 0.01
WEIGHT_OF_INLIER = 0.25  # at TUNING standard deviations
LEAST_AGREEMENT = 0.7  # of the points on which side of the camera they are
LEAST_CONTINUED = 0.5  # the same, for a camera that goes on as it went
LOUDEST = 3.0  # times the typical certainty: a vote does not count more, for a wrong vector is the surest
ALIKE = 3.0  # standard deviations: two directions no further apart are one
AS_IT_WENT = np.deg2rad(5.0)  # between the directions of two pairs in a row


def estimate_motion(
    points: FlowPoints,
    camera_matrix: Matrix,
    *,
    prior: Motion | None = None,
    seed: int = 0,
    model: Literal["full", "translation"] = "full",
    forward_in_time: bool = False,
    systematic: float = 0.0,
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

    Returns
    -------
    Motion
        X_target = R X_reference + T with |T| = 1. Its fields hold what its status says is known, no more.
    """
    if len(points) < FEWEST:
        return Motion(Status.LOW_CONFIDENCE, points=points.positions)
    K = np.asarray(camera_matrix, float)
    rays = calibrate(points.positions, points.vectors, points.covariance, K)
    focal = float(np.sqrt(np.linalg.det(K[:2, :2])))
    rng = np.random.default_rng(seed)
    if model == "translation":
        motion = _translating(rays, focal, rng)
    else:
        motion = _moving(rays, rng.permutation(len(points)), focal, prior)
    doubt = np.diag([systematic, systematic, 0.0, 0.0, 0.0]) ** 2
    return _completed(replace(motion, points=points.positions), K, forward_in_time, doubt)


def _translating(rays: Matrix, focal: float, rng: np.random.Generator) -> Motion:
    pose = find_translation(rays, focal, rng)
    r = residuals(rays, *pose)
    scale = _bounded(noise_scale(r))
    still = transfer_errors(rays, np.eye(3), STEADY, 0.0)
    criteria = {
        Status.STATIC: gric(still / scale**2, 2, 0),
        Status.MOVING: gric((r / scale) ** 2, 1, 2),
    }
    if simplest(rays[:2], criteria) is Status.STATIC:
        return _without_parallax(Status.STATIC, np.eye(3), still, scale)
    return _with_parallax(Status.MOVING, rays, pose, focal, scale, turning=False)


def _moving(rays: Matrix, order: Order, focal: float, prior: Motion | None) -> Motion:
    """Every model in turn, simple to rich, each fitted robustly; then the one the evidence asks for."""
    few, some = (np.ascontiguousarray(rays[:, order[:count]]) for count in (SEARCH, JOINT))
    start = np.eye(3) if prior is None or not _finite(prior.rotation) else prior.rotation
    modes, scale = _searched(few, some, focal, start, prior)
    if scale > NOISIEST:
        return Motion(Status.LOW_CONFIDENCE, noise=scale)
    pose = refine(rays, modes[0], focal, scale * POLISH_SCALES)
    r = residuals(rays, *pose)
    scale = _bounded(noise_scale(r))
    turn, sway = fit_rolling_rotation(some, start, STEADY, TUNING * scale * COARSE_SCALES)
    plane = fit_homography(few, turn, TUNING * scale * COARSE_SCALES)
    still = transfer_errors(rays, np.eye(3), STEADY, 0.0)
    turned = transfer_errors(rays, turn, sway, INEXACT_CAMERA)
    criteria = {
        Status.STATIC: gric(still / scale**2, 2, 0),
        Status.ROTATION: gric(turned / scale**2, 2, 6),
        Status.PLANAR: gric(transfer_errors(rays, plane, STEADY, 0.0) / scale**2, 2, 8),
        Status.MOVING: gric((r / scale) ** 2 + beyond(facing(rays, pose, scale)) ** 2, 1, 5),
    }
    status = simplest(rays[:2], criteria)
    if status in (Status.PLANAR, Status.MOVING) and _narrow(criteria):
        turn, sway = fit_rolling_rotation(rays, turn, sway, TUNING * scale * TURN_POLISH_SCALES)
        turned = transfer_errors(rays, turn, sway, INEXACT_CAMERA)
        criteria[Status.ROTATION] = gric(turned / scale**2, 2, 6)
        status = simplest(rays[:2], criteria)
    if status is Status.STATIC:
        return _without_parallax(status, np.eye(3), still, scale)
    if status is Status.ROTATION:
        return _without_parallax(status, turn, turned, scale)
    rivals = _rivals(rays, some, pose, modes, focal, scale)
    planar = status is Status.PLANAR
    if planar:
        plane = fit_homography(rays, plane, TUNING * scale * PLANE_POLISH_SCALES)
        pose, *rivals = _twins(rays, plane, scale, prior) or [pose, *rivals]
    motion = _with_parallax(status, rays, pose, focal, scale, planar=planar, prior=prior)
    others = [_with_parallax(Status.MOVING, rays, rival, focal, scale, planar=planar) for rival in rivals]
    if not planar:
        others = [other for other in others if not _agree(motion, other)]
        if others and motion.status is Status.MOVING:
            motion = replace(motion, status=Status.AMBIGUOUS)
    return replace(motion, alternatives=tuple(others))


def _narrow(criteria: dict[Status, Matrix]) -> bool:
    best = min(criterion.mean() for criterion in criteria.values())
    return bool(criteria[Status.ROTATION].mean() < best + NARROW)


def _searched(
    few: Matrix, some: Matrix, focal: float, start: Matrix, prior: Motion | None
) -> tuple[list[Pose], float]:
    """The motions with parallax that may explain the flow, and the noise scale of the first.

    The search looks for residuals of about the predicted error; where those turn out far too small it is
    done again.
    """
    scale, quietest = 1.0, np.inf
    for _ in range(RESCALINGS):
        found = _modes(few, some, focal, start, prior, scale)
        noise = noise_scale(residuals(some, *found[0]))
        if noise < quietest:
            modes, quietest = found, noise
        if noise < MISJUDGED * scale:
            break
        scale = noise
    return modes, _bounded(quietest)


def _modes(
    few: Matrix, some: Matrix, focal: float, start: Matrix, prior: Motion | None, scale: float
) -> list[Pose]:
    """Motions that may explain the flow, the likeliest first, `APART` from one another."""
    near = [search_near(few, pose, scale) for pose in _poses(prior)]
    starts = near or search_everywhere(few, start_rotation(few, start, scale), scale)
    found = sorted(
        (refine(some, pose, focal, scale * JOINT_SCALES) for pose in starts),
        key=lambda pose: cost_of(some, pose, scale),
    )
    if near and prior is not None and _stale(some, found[0], prior, scale):
        return _modes(few, some, focal, start, None, scale)
    distinct: list[Pose] = []
    for pose in found:
        if all(axis_angle_between(pose.T, other.T) > APART for other in distinct):
            distinct.append(pose)
    return distinct


def _poses(prior: Motion | None) -> list[Pose]:
    if prior is None:
        return []
    return [
        Pose(motion.rotation, motion.translation.direction)
        for motion in (prior, *prior.alternatives)
        if motion.translation is not None and _finite(motion.rotation)
    ]


def _stale(rays: Matrix, pose: Pose, prior: Motion, scale: float) -> bool:
    share = np.mean(np.abs(residuals(rays, *pose)) < TUNING * scale)
    return bool(share < 0.7 * prior.inlier_share)


def _finite(array: Matrix | None) -> TypeGuard[Matrix]:
    return array is not None and bool(np.isfinite(array).all())


def _rivals(
    rays: Matrix, some: Matrix, best: Pose, modes: list[Pose], focal: float, scale: float
) -> list[Pose]:
    """The modes, refined, that are not the best one and explain the flow as well."""
    limit = cost_of(some, modes[0], scale) + SAME_COST
    likely = [mode for mode in modes[1:] if cost_of(some, mode, scale) < limit]
    refined = [refine(rays, mode, focal, scale * POLISH_SCALES) for mode in likely]
    limit = cost_of(rays, best, scale) + SAME_COST
    return [
        pose
        for pose in refined
        if axis_angle_between(pose.T, best.T) > APART and cost_of(rays, pose, scale) < limit
    ]


def _agree(first: Motion, second: Motion) -> bool:
    """Whether two directions of translation, but for their sign, differ by no more than their errors."""
    one, other = first.translation, second.translation
    if one is None or other is None:
        return False
    B = tangent_basis(one.direction)
    into = B.T @ tangent_basis(other.direction)
    errors = one.covariance[:2, :2] + into @ other.covariance[:2, :2] @ into.T
    tau = B.T @ other.direction
    return bool(tau @ np.linalg.solve(errors, tau) < ALIKE**2)


def _twins(rays: Matrix, H: Matrix, scale: float, prior: Motion | None) -> list[Pose]:
    """Both motions a plane allows, that of the prior first, else that which fits the points off the plane."""
    twins = decompose(rays, H)
    if known := _poses(prior):
        return sorted(twins, key=lambda pose: float(axis_angle_between(pose.T, known[0].T)))
    return sorted(twins, key=lambda pose: cost_of(rays, pose, scale))


def _without_parallax(status: Status, R: Matrix, squared: Matrix, scale: float) -> Motion:
    squared = squared / (TUNING * scale) ** 2
    return Motion(
        status,
        rotation=R,
        weights=1.0 / (1.0 + squared) ** 2,
        inlier_share=float(np.mean(squared < 1.0)),
        noise=scale,
    )


def _with_parallax(
    status: Status,
    rays: Matrix,
    pose: Pose,
    focal: float,
    scale: float,
    *,
    turning: bool = True,
    planar: bool = False,
    prior: Motion | None = None,
) -> Motion:
    """The motion with its sign, weights and covariance; `LOW_CONFIDENCE` where they are too weak."""
    r2 = (residuals(rays, *pose) / (TUNING * scale)) ** 2
    weights = 1.0 / (1.0 + r2) ** 2
    front = facing(rays, pose, scale)
    vote = _vote(front, weights)
    if vote < 0:
        pose, front = Pose(pose.R, -pose.T), -front
    weights = np.where(front > -BEHIND, weights, 0.0)
    share = float(np.mean(weights > WEIGHT_OF_INLIER))
    spread = covariance(rays, pose, gates(rays, pose, focal), scale, turning=turning, planar=planar)
    direction_known = spread[:2, :2].trace() < WIDEST**2  # False for NaN
    least = LEAST_CONTINUED if _goes_on(pose, prior) else LEAST_AGREEMENT
    if share < LEAST_INLIERS or abs(vote) < least or not direction_known:
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
    return bool(angle_between(pose.T, prior.translation.direction) < AS_IT_WENT)


def _vote(front: Matrix, weights: Matrix) -> float:
    """1 when all points are in front of the camera, -1 when all are behind, about 0 when T means nothing.

    A translation that only fits what is not rigid in the flow (rolling shutter, lens, blur) puts points
    on both sides. A point votes with its certainty: one too far to tell does not, nor does a slow passer-by
    weigh as much as what is near; but none weighs more than `LOUDEST` typical ones.
    """
    certainty, middle = np.abs(front), front.size // 2
    heard = weights * np.minimum(certainty, LOUDEST * np.partition(certainty, middle)[middle])
    return float(heard @ np.sign(front) / (heard.sum() + 1e-12))


def _completed(motion: Motion, K: Matrix, forward_in_time: bool, doubt: Matrix) -> Motion:
    """The motion and its alternatives with their epipole in pixels, `doubt` added to their covariance."""
    R, translation = motion.rotation, motion.translation
    if R is None or translation is None:
        return motion
    epipole = homogeneous(R, translation.direction, K, forward_in_time=forward_in_time)
    return replace(
        motion,
        translation=Translation(translation.direction, translation.covariance + doubt, epipole),
        alternatives=tuple(_completed(other, K, forward_in_time, doubt) for other in motion.alternatives),
    )


def _bounded(scale: float) -> float:
    return max(scale, SMALLEST_NOISE)
