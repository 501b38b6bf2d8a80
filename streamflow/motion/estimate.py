"""The camera's motion between two frames, with a status that says what is known."""

from dataclasses import replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from streamflow.motion.covariance import covariance
from streamflow.motion.epipolar import TUNING, calibrate, inverse_depth, residuals
from streamflow.motion.epipole import homogeneous
from streamflow.motion.homography import fit_homography, fit_rotation, transfer_errors
from streamflow.motion.planar import decompose
from streamflow.motion.refine import Pose, cost_of, gates, noise_scale, refine
from streamflow.motion.sampling import FlowPoints
from streamflow.motion.search import APART, search_everywhere, search_near, start_rotation
from streamflow.motion.selection import gric, simplest
from streamflow.motion.sphere import axis_angle_between
from streamflow.motion.translation import find_translation
from streamflow.values import Motion, Status

FloatArray = npt.NDArray[np.float64]

FEWEST = 50  # points
SEARCH, JOINT = 300, 600  # points: enough to find a motion, and to tell two apart
JOINT_SCALES = np.array([4.0, 3.0, 2.0, 1.0, 1.0, 1.0])
POLISH_SCALES = np.ones(12)
NOISE_RANGE = 0.3, 3.0  # beyond, the predicted errors are no guide
SAME_COST = 0.02  # a point: two motions that differ by less are equally likely
LEAST_INLIERS = 0.3
WIDEST = np.deg2rad(20.0)  # 1 sigma of the direction; beyond, it is not known
BEHIND = 3.0  # standard deviations behind the camera: a point that moves by itself


def estimate_motion(
    points: FlowPoints,
    camera_matrix: FloatArray,
    *,
    prior: Motion | None = None,
    seed: int = 0,
    model: Literal["full", "translation"] = "full",
    forward_in_time: bool = False,
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
        order = rng.permutation(len(points))
        motion = _moving(
            rays, *(np.ascontiguousarray(rays[:, order[:n]]) for n in (SEARCH, JOINT)), focal, prior
        )
    return _with_epipole(replace(motion, points=points.positions), K, forward_in_time)


def _translating(rays: FloatArray, focal: float, rng: np.random.Generator) -> Motion:
    pose = find_translation(rays, focal, rng)
    r = residuals(rays, *pose)
    scale = _clipped(noise_scale(r))
    still = transfer_errors(rays, np.eye(3))
    criteria = {
        Status.STATIC: gric(still / scale**2, 2, 0),
        Status.MOVING: gric((r / scale) ** 2, 1, 2),
    }
    if simplest(criteria) is Status.STATIC:
        return _without_parallax(Status.STATIC, np.eye(3), still, scale)
    return _with_parallax(Status.MOVING, rays, pose, focal, scale, turning=False)


def _moving(
    rays: FloatArray, few: FloatArray, some: FloatArray, focal: float, prior: Motion | None
) -> Motion:
    start = prior.rotation if prior and prior.rotation is not None else None
    turn = start_rotation(few, np.eye(3) if start is None else start)
    modes = _modes(few, some, focal, turn, prior)
    scale = _clipped(noise_scale(residuals(some, *modes[0])))
    pose = refine(rays, modes[0], focal, scale * POLISH_SCALES)
    r = residuals(rays, *pose)
    scale = _clipped(noise_scale(r))
    turn = fit_rotation(some, turn, TUNING * scale * JOINT_SCALES)
    plane = fit_homography(some, turn, TUNING * scale * np.array([30.0, 20.0, 10.0, 5.0, *JOINT_SCALES]))
    still, turned = transfer_errors(rays, np.eye(3)), transfer_errors(rays, turn)
    status = simplest(
        {
            Status.STATIC: gric(still / scale**2, 2, 0),
            Status.ROTATION: gric(turned / scale**2, 2, 3),
            Status.PLANAR: gric(transfer_errors(rays, plane) / scale**2, 2, 8),
            Status.MOVING: gric((r / scale) ** 2, 1, 5),
        }
    )
    if status is Status.STATIC:
        return _without_parallax(status, np.eye(3), still, scale)
    if status is Status.ROTATION:
        return _without_parallax(status, turn, turned, scale)
    rivals = _rivals(some, modes, scale)
    if status is Status.PLANAR:
        pose, *rivals = _twins(rays, plane, prior) or [pose, *rivals]
    elif rivals:
        status = Status.AMBIGUOUS
    motion = _with_parallax(status, rays, pose, focal, scale)
    others = tuple(_with_parallax(Status.MOVING, rays, rival, focal, scale) for rival in rivals)
    return replace(motion, alternatives=others)


def _modes(
    few: FloatArray, some: FloatArray, focal: float, turn: FloatArray, prior: Motion | None
) -> list[Pose]:
    """Motions that may explain the flow, the likeliest first, `APART` from one another."""
    starts = [search_near(few, pose) for pose in _poses(prior)] or search_everywhere(few, turn)
    found = sorted(
        (refine(some, start, focal, JOINT_SCALES) for start in starts),
        key=lambda pose: cost_of(some, pose, 1.0),
    )
    distinct: list[Pose] = []
    for pose in found:
        if all(axis_angle_between(pose.T, other.T) > APART for other in distinct):
            distinct.append(pose)
    if prior is not None and starts and _stale(some, distinct[0], prior):
        return _modes(few, some, focal, turn, None)
    return distinct


def _poses(prior: Motion | None) -> list[Pose]:
    if prior is None:
        return []
    return [
        Pose(motion.rotation, motion.translation)
        for motion in (prior, *prior.alternatives)
        if motion.rotation is not None
        and motion.translation is not None
        and np.isfinite([*motion.rotation.flat, *motion.translation]).all()
    ]


def _stale(rays: FloatArray, pose: Pose, prior: Motion) -> bool:
    share = np.mean(np.abs(residuals(rays, *pose)) < TUNING)
    return bool(share < 0.7 * prior.inlier_share)


def _rivals(rays: FloatArray, modes: list[Pose], scale: float) -> list[Pose]:
    costs = [cost_of(rays, mode, scale) for mode in modes]
    return [mode for mode, cost in zip(modes[1:], costs[1:], strict=True) if cost < costs[0] + SAME_COST]


def _twins(rays: FloatArray, H: FloatArray, prior: Motion | None) -> list[Pose]:
    """Both motions a plane allows, that of the prior first, else that which fits the points off the plane."""
    twins = decompose(rays, H)
    if known := _poses(prior):
        return sorted(twins, key=lambda pose: float(axis_angle_between(pose.T, known[0].T)))
    return sorted(twins, key=lambda pose: cost_of(rays, pose, 1.0))


def _without_parallax(status: Status, R: FloatArray, squared: FloatArray, scale: float) -> Motion:
    squared = squared / (TUNING * scale) ** 2
    return Motion(
        status,
        rotation=R,
        weights=1.0 / (1.0 + squared) ** 2,
        inlier_share=float(np.mean(squared < 1.0)),
        noise=scale,
    )


def _with_parallax(
    status: Status, rays: FloatArray, pose: Pose, focal: float, scale: float, *, turning: bool = True
) -> Motion:
    """The motion with its sign, weights and covariance; `LOW_CONFIDENCE` and nothing else if they are too weak."""
    r2 = (residuals(rays, *pose) / (TUNING * scale)) ** 2
    weights = 1.0 / (1.0 + r2) ** 2
    rho, variance = inverse_depth(rays, *pose)
    side = rho / (scale * np.sqrt(variance))
    vote = float(weights @ np.clip(side, -1, 1) / weights.sum())
    if vote < 0:
        pose, side = Pose(pose.R, -pose.T), -side
    inliers = (r2 < 1.0) & (side > -BEHIND)
    spread = covariance(rays, pose, gates(rays, pose, focal), scale, turning=turning)
    share = float(np.mean(inliers))
    if share < LEAST_INLIERS or not spread[:2, :2].trace() < WIDEST**2:
        return Motion(Status.LOW_CONFIDENCE, inlier_share=share, noise=scale)
    return Motion(
        status,
        rotation=pose.R,
        translation=pose.T,
        covariance=spread,
        weights=np.where(side > -BEHIND, weights, 0.0),
        inlier_share=share,
        noise=scale,
    )


def _with_epipole(motion: Motion, K: FloatArray, forward_in_time: bool) -> Motion:
    if motion.rotation is None or motion.translation is None:
        return motion
    return replace(
        motion,
        epipole=homogeneous(motion.rotation, motion.translation, K, forward_in_time=forward_in_time),
        alternatives=tuple(_with_epipole(other, K, forward_in_time) for other in motion.alternatives),
    )


def _clipped(scale: float) -> float:
    return float(np.clip(scale, *NOISE_RANGE))
