"""What is exactly true of a pair whose poses and depth, or whose flow, are known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from streamflow.values import CameraTruth, FramePair, FrameTruth, Map, Mask, Matrix, Vectors


@dataclass(frozen=True, eq=False)
class PairTruth:
    """The truth of a pair, in the conventions of `values`; a field that is not known is None."""

    rotation: Matrix | None = None  # (3, 3)
    translation: Matrix | None = None  # (3,) unit, or zero when the camera stood still
    step: float = float("nan")  # distance between the two cameras, world units
    epipole: Matrix | None = None  # (3,) homogeneous, reference pixels, [2] > 0: the camera moves towards it
    vectors: Vectors | None = None  # (H, W, 2) pixels, NaN where unknown
    inverse_depth: Map | None = None  # reference image, 1/steps; 1/world units where no step is known
    visible: Mask | None = None  # seen in both frames
    camera: CameraTruth | None = None  # what holds for the whole sequence
    labels: NDArray[np.uint8] | None = None  # (H, W) k: the k-th of what moves by itself, reference image
    ignored: Mask | None = None  # not judged, reference image

    @property
    def moving(self) -> Mask | None:
        """(H, W) what moves by itself, reference image."""
        return None if self.labels is None else self.labels > 0

    @property
    def judged(self) -> Mask | np.bool_:
        """Where depth is judged: what moves by itself has none, and what is ignored no truth."""
        left_out = [mask for mask in (self.moving, self.ignored) if mask is not None]
        return ~np.logical_or.reduce(left_out) if left_out else np.True_


def pair_truth(pair: FramePair) -> PairTruth | None:
    """Derive the truth of a pair from that of its two frames; None where they carry none, or across a cut."""
    reference, target = pair.reference.truth, pair.target.truth
    if reference is None or target is None or reference.shot != target.shot:
        return None
    if pair.forward and reference.flow is not None:
        return PairTruth(vectors=reference.flow)
    if reference.pose is not None and target.pose is not None and reference.camera_matrix is not None:
        return _posed(reference, target, reference.camera_matrix, forward=pair.forward)
    if not _says_something(reference):
        return None
    if reference.depth is None:
        return PairTruth(**_of_the_picture(reference))
    return PairTruth(
        inverse_depth=1 / reference.depth,
        visible=np.isfinite(reference.depth),
        **_of_the_picture(reference),
    )


def rigid_flow(
    depth: Map, camera_matrix: Matrix, rotation: Matrix, displacement: Matrix, target_matrix: Matrix
) -> tuple[Vectors, Map]:
    """Flow of a rigid scene, and its depth in the target camera.

    Parameters
    ----------
    depth : ndarray, shape (H, W)
        z in the reference camera, world units.
    camera_matrix : ndarray, shape (3, 3)
        Of the reference camera, pixels.
    rotation : ndarray, shape (3, 3)
    displacement : ndarray, shape (3,)
        World units; X_target = rotation X_reference + displacement.
    target_matrix : ndarray, shape (3, 3)
        Of the target camera, pixels.

    Returns
    -------
    vectors : ndarray of float32, shape (H, W, 2)
        Pixels; NaN without depth, or where the point lies behind the target camera.
    z : ndarray of float32, shape (H, W)
        World units.
    """
    height, width = depth.shape
    x, y = np.meshgrid(np.arange(width, dtype=np.float64), np.arange(height, dtype=np.float64))
    pixels = np.stack([x, y, np.ones_like(x)], axis=-1)
    points = depth[..., None] * (pixels @ np.linalg.inv(camera_matrix).T)
    moved = (points @ rotation.T + displacement) @ target_matrix.T
    z = np.where(moved[..., 2] > 0, moved[..., 2], np.nan)
    return (moved[..., :2] / z[..., None] - pixels[..., :2]).astype(np.float32), z.astype(np.float32)


def _posed(reference: FrameTruth, target: FrameTruth, K: Matrix, *, forward: bool) -> PairTruth:
    assert reference.pose is not None and target.pose is not None
    to_target = np.linalg.inv(target.pose) @ reference.pose
    rotation, displacement = to_target[:3, :3], to_target[:3, 3]
    step = float(np.linalg.norm(displacement))
    direction, epipole = np.zeros(3), None
    if step > 0 and _may_travel(reference):
        direction = displacement / step
        # The target camera stands at -R^T T; time runs towards the target only when the pair is forward.
        epipole = K @ ((-1 if forward else 1) * rotation.T @ direction)
    vectors = inverse_depth = visible = None
    if reference.depth is not None:
        vectors, z = _scene_flow(reference, target, K)
        inverse_depth = (step / reference.depth).astype(np.float32)
        visible = _visible(vectors, z, target)
        _hold_fixed(vectors, visible, reference, target)
    return PairTruth(
        rotation, direction, step, epipole, vectors, inverse_depth, visible, **_of_the_picture(reference)
    )


def _may_travel(truth: FrameTruth) -> bool:
    """Whether the poses tell a direction: of a camera known only to turn they are the tracker's noise."""
    return truth.camera is None or truth.camera.kind in (None, "moving")


def _says_something(truth: FrameTruth) -> bool:
    return any(value is not None for value in (truth.depth, truth.camera, truth.labels))


def _of_the_picture(truth: FrameTruth) -> dict[str, Any]:
    """Fields of a pair that its reference frame alone decides."""
    return {
        "camera": truth.camera,
        "labels": truth.labels,
        "ignored": truth.ignored,
    }


def _scene_flow(reference: FrameTruth, target: FrameTruth, K: Matrix) -> tuple[Vectors, Map]:
    """Flow of the still scene and of each thing that moves by itself, and depth in the target camera."""
    assert reference.depth is not None and reference.pose is not None and target.pose is not None
    target_matrix = K if target.camera_matrix is None else target.camera_matrix
    to_camera, still = np.linalg.inv(target.pose), np.eye(4)
    vectors = np.full((*reference.depth.shape, 2), np.nan, np.float32)
    z = np.full_like(reference.depth, np.nan)
    labels = np.zeros(z.shape, np.uint8) if reference.labels is None else reference.labels
    places = zip((still, *reference.placements), (still, *target.placements), strict=True)
    for label, (before, after) in enumerate(places):
        to_target = to_camera @ after @ np.linalg.inv(before) @ reference.pose
        moved = rigid_flow(reference.depth, K, to_target[:3, :3], to_target[:3, 3], target_matrix)
        here = labels == label
        vectors[here], z[here] = moved[0][here], moved[1][here]
    return vectors, z


def _visible(vectors: Vectors, z: Map, target: FrameTruth) -> Mask | None:
    """Pixels whose point is inside the target image and not hidden there (5% of depth)."""
    if target.depth is None:
        return None
    height, width = z.shape
    x = np.arange(width, dtype=np.float32) + vectors[..., 0]
    y = np.arange(height, dtype=np.float32)[:, None] + vectors[..., 1]
    seen = cv2.remap(target.depth, x, y, cv2.INTER_NEAREST, borderValue=np.nan)
    return np.asarray(abs(seen - z) < 0.05 * z, np.bool_)


def _hold_fixed(vectors: Vectors, visible: Mask | None, reference: FrameTruth, target: FrameTruth) -> None:
    """What is fixed to the camera stays where it is."""
    if reference.fixed is None or target.fixed is None:
        return
    vectors[reference.fixed] = 0
    if visible is not None:
        visible[reference.fixed] = target.fixed[reference.fixed]
