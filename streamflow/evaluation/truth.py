"""What is exactly true of a pair whose poses and depth, or whose flow, are known."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from streamflow.values import FramePair, Map, Mask, Matrix, Vectors, View


@dataclass(frozen=True, eq=False)
class PairTruth:
    """The truth of a pair, in the conventions of `values`; a field that is not known is None."""

    rotation: Matrix | None = None  # (3, 3)
    translation: Matrix | None = None  # (3,) unit, or zero when the camera stood still
    step: float = float("nan")  # distance between the two cameras, world units
    epipole: Matrix | None = None  # (3,) homogeneous, reference pixels, [2] > 0: the camera moves towards it
    vectors: Vectors | None = None  # (H, W, 2) pixels, NaN where unknown
    inverse_depth: Map | None = None  # 1/steps, reference image
    visible: Mask | None = None  # seen in both frames


def pair_truth(pair: FramePair) -> PairTruth | None:
    """Derive the truth of a pair from the views of its two frames; None where they carry none."""
    reference, target = pair.reference.truth, pair.target.truth
    if reference is None or target is None:
        return None
    if pair.forward and reference.flow is not None:
        return PairTruth(vectors=reference.flow)
    if reference.pose is None or target.pose is None or reference.camera_matrix is None:
        return None
    to_target = np.linalg.inv(target.pose) @ reference.pose
    rotation, displacement = to_target[:3, :3], to_target[:3, 3]
    step = float(np.linalg.norm(displacement))
    direction = displacement / step if step > 0 else displacement
    # The target camera stands at -R^T T; time runs towards the target only when the pair is forward.
    heading = (-1 if pair.forward else 1) * rotation.T @ direction
    epipole = reference.camera_matrix @ heading if step > 0 else None
    if reference.depth is None:
        return PairTruth(rotation, direction, step, epipole)
    vectors, z = rigid_flow(reference.depth, reference.camera_matrix, rotation, displacement)
    return PairTruth(
        rotation, direction, step, epipole, vectors,
        (step / reference.depth).astype(np.float32), _visible(vectors, z, target),
    )  # fmt: skip


def rigid_flow(
    depth: Map, camera_matrix: Matrix, rotation: Matrix, displacement: Matrix
) -> tuple[Vectors, Map]:
    """Flow of a still scene, and its depth in the target camera.

    Parameters
    ----------
    depth : ndarray, shape (H, W)
        z in the reference camera, world units.
    camera_matrix : ndarray, shape (3, 3)
        Of both cameras, pixels.
    rotation : ndarray, shape (3, 3)
    displacement : ndarray, shape (3,)
        World units; X_target = rotation X_reference + displacement.

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
    moved = (points @ rotation.T + displacement) @ camera_matrix.T
    z = np.where(moved[..., 2] > 0, moved[..., 2], np.nan)
    return (moved[..., :2] / z[..., None] - pixels[..., :2]).astype(np.float32), z.astype(np.float32)


def _visible(vectors: Vectors, z: Map, target: View) -> Mask | None:
    """Pixels whose point is inside the target image and not hidden there (5% of depth)."""
    if target.depth is None:
        return None
    height, width = z.shape
    x = np.arange(width, dtype=np.float32) + vectors[..., 0]
    y = np.arange(height, dtype=np.float32)[:, None] + vectors[..., 1]
    seen = cv2.remap(target.depth, x, y, cv2.INTER_NEAREST, borderValue=np.nan)
    return np.asarray(abs(seen - z) < 0.05 * z, np.bool_)
