"""The planes stage: planes found in depth, or the planar motion of a region or of the whole image."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from streamflow.errors import UsageError
from streamflow.geometry.camera import calibrated
from streamflow.geometry.homography import planar_motions
from streamflow.options import Options
from streamflow.planes.description import describe_planes
from streamflow.planes.eight_parameters import fit_eight_parameters, planar_flow
from streamflow.planes.homography import fit_homography, homography_from_parameters, nearest_motion
from streamflow.planes.segmentation import find_planes
from streamflow.planes.tracking import PlaneTracker, moved
from streamflow.values import Depth, Flow, FramePair, Mask, Matrix, Motion, Plane, Status

SPACING = 6  # pixels between the points that the eight parameters are fitted to
OBEYS = 3.0  # pixels of predicted error, or the fit's own, within which a pixel obeys
WORST = 3.0  # pixels rms: a plane whose own flow is farther off was found in depth of long ago
LEAST_ERROR = 0.1  # pixels: flow is not known better, whatever it predicts


class PlanesStage:
    """Binds the options; remembers the planes of the last frame, so that labels stay with them."""

    def __init__(self, options: Options) -> None:
        self._region = options.region
        self._tracker = PlaneTracker()
        self._last: Matrix | None = None  # (P, 3), n of the last frame's planes

    def __call__(
        self, pair: FramePair, flow: Flow, motion: Motion, depth: Depth, camera_matrix: Matrix
    ) -> tuple[Plane, ...]:
        """Describe the planes; none where the flow shows none."""
        rng = np.random.default_rng(pair.reference.index)
        if self._region is None and motion.translation is not None:
            found = self._found(flow, motion, depth, camera_matrix, rng)
            if found:
                return found
        return self._dominant(flow, motion, camera_matrix, rng)

    def reset(self) -> None:
        """Forget the last planes."""
        self._tracker.reset()
        self._last = None

    def _found(
        self, flow: Flow, motion: Motion, depth: Depth, camera_matrix: Matrix, rng: np.random.Generator
    ) -> tuple[Plane, ...]:
        assert motion.rotation is not None and motion.translation is not None
        displacement = depth.step * motion.translation.direction
        known = None if self._last is None else moved(self._last, motion.rotation, displacement)
        planes, labels = find_planes(depth, camera_matrix, rng, known=known)
        self._last = planes if len(planes) else None
        names = self._tracker(labels, flow.vectors)
        described = describe_planes(
            planes, labels, names, flow.vectors, camera_matrix, motion.rotation, displacement
        )
        if flow.excluded is not None:  # regions are found on a grid, whose cells reach over the edge
            described = tuple(replace(plane, mask=plane.mask & ~flow.excluded) for plane in described)
        return tuple(plane for plane in described if plane.residual < WORST)

    def _dominant(
        self, flow: Flow, motion: Motion, camera_matrix: Matrix, rng: np.random.Generator
    ) -> tuple[Plane, ...]:
        """Fit the eight parameters to the region, or to the whole image."""
        height, width = flow.smin.shape
        x0, y0, across, down = self._region or (0, 0, width, height)
        if x0 + across > width or y0 + down > height:
            raise UsageError(f"`region` {x0},{y0},{across},{down} reaches outside the {width}x{height} image")
        inside = np.zeros((height, width), np.bool_)
        inside[y0 : y0 + down, x0 : x0 + across] = True
        evident = inside & np.isfinite(flow.evident)
        y, x = np.nonzero(evident[::SPACING, ::SPACING])
        y, x = y * SPACING, x * SPACING
        points = np.stack([x, y], axis=1).astype(float)
        sigma = np.maximum(flow.sigma[y, x], LEAST_ERROR).astype(float)
        fit = fit_eight_parameters(points, flow.vectors[y, x].astype(float), sigma, camera_matrix, rng)
        if fit is None:
            return ()
        mask = evident & _obeys(fit.a, fit.residual, flow, camera_matrix)
        obeying = points[fit.inliers], flow.vectors[y, x][fit.inliers].astype(float), sigma[fit.inliers]
        normals = _normals(fit.a, *obeying, motion, camera_matrix)
        plane = Plane(0, fit.a, mask, fit.residual, name="region" if self._region else "whole image")
        if normals:
            distance = 1 / float(np.linalg.norm(normals[0]))
            other = _unit(-normals[1]) if len(normals) > 1 else None
            plane = replace(plane, normal=_unit(-normals[0]), distance=distance, alternative_normal=other)
        return (plane,)


def _normals(
    parameters: Matrix, points: Matrix, vectors: Matrix, sigma: Matrix, motion: Motion, camera_matrix: Matrix
) -> list[Matrix]:
    """The plane's n, n . a = inverse depth in 1/steps: both that explain the flow where motion is unknown."""
    if motion.status in (Status.STATIC, Status.ROTATION):
        return []
    start = homography_from_parameters(parameters)
    homography = fit_homography(points, vectors, sigma, camera_matrix, start)
    readings = planar_motions(homography, calibrated(points, camera_matrix))
    if readings and motion.translation is not None and motion.rotation is not None:
        readings = [nearest_motion(readings, motion.rotation.T @ motion.translation.direction)]
    return [reading.n for reading in readings if reading.n.any()]


def _unit(vector: Matrix) -> Matrix:
    return np.asarray(vector / np.linalg.norm(vector))


def _obeys(parameters: Matrix, residual: float, flow: Flow, camera_matrix: Matrix) -> Mask:
    """(H, W) pixels whose flow is that of the plane."""
    height, width = flow.sigma.shape
    y, x = np.mgrid[:height, :width]
    pixels = np.stack([x.ravel(), y.ravel()], axis=1)
    exact = planar_flow(parameters, pixels, camera_matrix).reshape(height, width, 2)
    error = np.linalg.norm(flow.vectors - exact, axis=-1)
    return np.asarray(error < OBEYS * np.maximum(flow.sigma, max(residual, LEAST_ERROR)))
