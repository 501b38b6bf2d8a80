"""The camera's motion between two frames, with a status that says what is known."""

from dataclasses import replace
from typing import Literal, TypeGuard

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
from streamflow.values import Matrix, Motion, Status

Order = npt.NDArray[np.int64]

FEWEST = 50  # points
SEARCH, JOINT = 300, 600  # points: enough to find a motion, and to tell two apart
JOINT_SCALES = np.array([4.0, 3.0, 2.0, 1.0, 1.0, 1.0])
POLISH_SCALES = np.ones(12)
PLANE_SCALES = np.array([30.0, 20.0, 10.0, 5.0, 3.0, 2.0, 1.0, 1.0, 1.0])
SMALLEST_NOISE = 0.3  # of the predicted error: still images have none
NOISIEST = 10.0  # of the predicted error: beyond, nothing fits
RESCALINGS, MISJUDGED = 3, 1.5  # how often the search is repeated, and from which noise scale
SAME_COST = 0.02  # a point: two motions that differ by less are equally likely
LEAST_INLIERS = 0.3
WIDEST = np.deg2rad(20.0)  # 1 sigma of the direction; beyond, it is not known
BEHIND = 3.0  # standard deviations behind the camera: a point that moves by itself


def estimate_motion(
    points: FlowPoints,
    camera_matrix: Matrix,
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
        motion = _moving(rays, rng.permutation(len(points)), focal, prior)
    return _with_epipole(replace(motion, points=points.positions), K, forward_in_time)


def _translating(rays: Matrix, focal: float, rng: np.random.Generator) -> Motion:
    pose = find_translation(rays, focal, rng)
    r = residuals(rays, *pose)
    scale = _bounded(noise_scale(r))
    still = transfer_errors(rays, np.eye(3))
    criteria = {
        Status.STATIC: gric(still / scale**2, 2, 0),
        Status.MOVING: gric((r / scale) ** 2, 1, 2),
    }
    if simplest(criteria) is Status.STATIC:
        return _without_parallax(Status.STATIC, np.eye(3), still, scale)
    return _with_parallax(Status.MOVING, rays, pose, focal, scale, turning=False)


def _moving(rays: Matrix, order: Order, focal: float, prior: Motion | None) -> Motion:
    """Every model in turn, simple to rich, each fitted robustly; then the one the evidence asks for."""
    some = np.ascontiguousarray(rays[:, order[:JOINT]])
    turn, modes, scale = _searched(some, focal, prior)
    if scale > NOISIEST:
        return Motion(Status.LOW_CONFIDENCE, noise=scale)
    pose = refine(rays, modes[0], focal, scale * POLISH_SCALES)
    r = residuals(rays, *pose)
    scale = _bounded(noise_scale(r))
    turn = fit_rotation(some, turn, TUNING * scale * JOINT_SCALES)
    plane = fit_homography(some, turn, TUNING * scale * PLANE_SCALES)
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


def _searched(some: Matrix, focal: float, prior: Motion | None) -> tuple[Matrix, list[Pose], float]:
    """The rotation without, and the motions with parallax that may explain the flow, and the noise scale.

    The search looks for residuals of about the predicted error; where those turn out far too small it is
    done again.
    """
    few = np.ascontiguousarray(some[:, :SEARCH])
    start = np.eye(3) if prior is None or not _finite(prior.rotation) else prior.rotation
    scale = 1.0
    for _ in range(RESCALINGS):
        turn = start_rotation(few, start, scale)
        modes = _modes(few, some, focal, turn, prior, scale)
        found = noise_scale(residuals(some, *modes[0]))
        if found < MISJUDGED * scale:
            break
        scale = found
    return turn, modes, _bounded(found)


def _modes(
    few: Matrix, some: Matrix, focal: float, turn: Matrix, prior: Motion | None, scale: float
) -> list[Pose]:
    """Motions that may explain the flow, the likeliest first, `APART` from one another."""
    near = [search_near(few, pose, scale) for pose in _poses(prior)]
    found = sorted(
        (
            refine(some, start, focal, scale * JOINT_SCALES)
            for start in near or search_everywhere(few, turn, scale)
        ),
        key=lambda pose: cost_of(some, pose, scale),
    )
    if near and prior is not None and _stale(some, found[0], prior, scale):
        return _modes(few, some, focal, turn, None, scale)
    distinct: list[Pose] = []
    for pose in found:
        if all(axis_angle_between(pose.T, other.T) > APART for other in distinct):
            distinct.append(pose)
    return distinct


def _poses(prior: Motion | None) -> list[Pose]:
    if prior is None:
        return []
    return [
        Pose(motion.rotation, motion.translation)
        for motion in (prior, *prior.alternatives)
        if _finite(motion.rotation) and _finite(motion.translation)
    ]


def _stale(rays: Matrix, pose: Pose, prior: Motion, scale: float) -> bool:
    share = np.mean(np.abs(residuals(rays, *pose)) < TUNING * scale)
    return bool(share < 0.7 * prior.inlier_share)


def _finite(array: Matrix | None) -> TypeGuard[Matrix]:
    return array is not None and bool(np.isfinite(array).all())


def _rivals(rays: Matrix, modes: list[Pose], scale: float) -> list[Pose]:
    costs = [cost_of(rays, mode, scale) for mode in modes]
    return [mode for mode, cost in zip(modes[1:], costs[1:], strict=True) if cost < costs[0] + SAME_COST]


def _twins(rays: Matrix, H: Matrix, prior: Motion | None) -> list[Pose]:
    """Both motions a plane allows, that of the prior first, else that which fits the points off the plane."""
    twins = decompose(rays, H)
    if known := _poses(prior):
        return sorted(twins, key=lambda pose: float(axis_angle_between(pose.T, known[0].T)))
    return sorted(twins, key=lambda pose: cost_of(rays, pose, 1.0))


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
    status: Status, rays: Matrix, pose: Pose, focal: float, scale: float, *, turning: bool = True
) -> Motion:
    """The motion with its sign, weights and covariance; `LOW_CONFIDENCE` where they are too weak."""
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


def _with_epipole(motion: Motion, K: Matrix, forward_in_time: bool) -> Motion:
    if motion.rotation is None or motion.translation is None:
        return motion
    return replace(
        motion,
        epipole=homogeneous(motion.rotation, motion.translation, K, forward_in_time=forward_in_time),
        alternatives=tuple(_with_epipole(other, K, forward_in_time) for other in motion.alternatives),
    )


def _bounded(scale: float) -> float:
    return max(scale, SMALLEST_NOISE)
