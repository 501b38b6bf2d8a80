"""How far each cell's flow contradicts a background at rest, and how much the image supports that."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from streamflow.kernels.jit import kernel
from streamflow.moving.cells import Cells
from streamflow.moving.dominant_plane import fit_dominant_plane, plane_flow
from streamflow.moving.edge_aware import EdgeAwareFilter
from streamflow.moving.parallax import Parallax, find_epipole, parallax
from streamflow.values import Map, Matrix, Motion, Status, Vectors

SPACING = 3  # cells between those that the background's motion is fitted to
SPEED = 4.0  # pixels a frame: standard deviation of what moves by itself, before anything is seen
TEXTURED = 3.0  # grey levels a pixel, along the residual, at which a cell's flow counts half
OBEYS2 = 9.0  # squared standard deviations within which a cell obeys the plane
PLANAR = 0.8  # share of the cells that do, from which on the plane is all of the background
TURNS = 0.5  # nats a point by which a rotation explains a pair better than any translation: it is one
EXPLAINED = 0.9  # share of what is off the plane that a known translation accounts for: then it is used
INERTIA = 0.7  # of that share, from pair to pair
LEAST_NOISE = 0.5  # of the variance: flow of a still picture is better than predicted
CHI2_MEDIAN = (0.455, 1.386)  # of one and of two degrees of freedom
LOW, HIGH = -4.0, 8.0  # log-odds of a cell: no single one decides
LOOSE = 0.15  # of the residuals around: the rim of what moves drags the flow outside along
RIM, PART = 9, 0.7  # cells about one; share of the largest residual there below which a cell is of the rim
PARALLAX_ERROR = 0.1  # of the large parallaxes: what a plane that is none leaves
ROTATION_ERROR = 0.5  # pixels: what a lens and a shutter leave of a rotation, beside its own error
WRONG_SIDE = 1.0  # of the variance
LARGE = 0.9  # quantile of the parallaxes
CLEAR = 0.3  # texture from which on a cell can tell
SHORT = 0.1  # pixels^2: of shorter residuals the direction means nothing
FILL_ROUNDS = 4  # a basin with more turns stays open: it takes a spiral


class Evidence(NamedTuple):
    """What one pair says about each cell, (h, w)."""

    log_odds: Map  # that it moves by itself, over that it does not
    weight: Map  # 0 .. 1, how far image and flow can tell
    residual: Vectors  # (h, w, 2) pixels: the flow but for what a background at rest explains


class BackgroundMotion:
    """Fits the background's motion to each pair; remembers which model did and where the epipole was."""

    def __init__(self) -> None:
        self._share: float | None = None
        self._epipole: Matrix | None = None

    def __call__(
        self,
        cells: Cells,
        motion: Motion,
        camera_matrix: Matrix,
        background: Map,
        smooth: EdgeAwareFilter,
        rng: np.random.Generator,
    ) -> Evidence:
        """Compare the flow with the background's.

        Parameters
        ----------
        cells : flow and texture
        motion, camera_matrix : the camera's, as far as its motion is known
        background : (h, w) how far each cell is expected to belong to it, 0 .. 1
        smooth : averages over cells of one surface
        rng : of the random choices
        """
        clear = _clear(cells)
        residual: Vectors = cells.vectors - _plane(cells, motion, clear * background)
        off2 = _square(residual)
        square, camera = off2 / cells.variance, (motion, camera_matrix)
        planar, known = self._is_planar(square, clear, motion), _known(*camera) is not None
        log_odds = _against_plane(off2, cells.variance, clear)
        if known or not planar:
            rigid = self._against_parallax(cells, residual, background, camera, smooth, rng)
            left = clear * (square > OBEYS2)
            if not planar or left[rigid[0] < 0].sum() > EXPLAINED * left.sum():
                log_odds, residual = rigid
        seen = cells.inside(cells.positions) & cells.inside(cells.positions + cells.vectors)
        seen &= cells.inside(cells.positions + cells.vectors - residual)
        return Evidence(np.clip(log_odds, LOW, HIGH), _texture_along(cells.tensor, residual) * seen, residual)

    def reset(self) -> None:
        """Forget the background."""
        self._share = self._epipole = None

    def _is_planar(self, square: Map, clear: Map, motion: Motion) -> bool:
        share = float((clear * (square < OBEYS2)).sum() / (clear.sum() + 1e-9))
        before = share if self._share is None else self._share
        self._share = INERTIA * before + (1 - INERTIA) * share
        return motion.status is Status.STATIC or _turns(motion) or self._share > PLANAR

    def _against_parallax(
        self,
        cells: Cells,
        residual: Vectors,
        background: Map,
        camera: tuple[Motion, Matrix],
        smooth: EdgeAwareFilter,
        rng: np.random.Generator,
    ) -> tuple[Map, Vectors]:
        """Compare displacements off a plane with those that a rigid scene allows."""
        normalise = _normalisation(cells)
        known = _known(*camera)
        if known is not None:
            residual = cells.vectors - plane_flow(known[0], cells.positions)
        targets = _transformed(normalise, cells.positions + cells.vectors)
        clear = _clear(cells)
        if known is not None:
            self._epipole = _unit(normalise @ known[1])
        else:
            weight = clear * background
            self._epipole = find_epipole(
                _thinned(targets), _thinned(residual), _thinned(cells.variance), _thinned(weight),
                self._epipole, rng,
            )  # fmt: skip
        if self._epipole is None:
            return np.zeros(cells.shape, np.float32), np.zeros_like(residual)
        off = parallax(self._epipole, targets, residual)
        if known is None and _mostly_negative(off, cells.variance, clear):
            self._epipole = -self._epipole
            off = parallax(self._epipole, targets, residual)
        noise = _noise(np.square(off.across) / cells.variance, clear, 0)
        nearness = _nearness(off, cells.variance, clear, smooth)
        if known is None:
            wrong = _beyond_surroundings(off, nearness, clear)
        else:
            wrong = np.maximum(-nearness * off.distance - _rotation_error(*camera), 0)
        log_odds = 0.5 * _log_odds(np.square(off.across), cells.variance * noise)
        spread = cells.variance * WRONG_SIDE * max(1.0, noise)
        log_odds += np.maximum(0.5 * _log_odds(np.square(wrong), spread), 0)
        normal = np.stack([-off.towards[..., 1], off.towards[..., 0]], axis=-1)
        return log_odds, off.across[..., None] * normal - wrong[..., None] * off.towards


def _plane(cells: Cells, motion: Motion, weight: Map) -> Vectors:
    if motion.status is Status.STATIC:
        return np.zeros_like(cells.vectors)
    H = fit_dominant_plane(
        _thinned(cells.positions), _thinned(cells.vectors), _thinned(cells.variance), _thinned(weight)
    )
    return plane_flow(H, cells.positions)


def _turns(motion: Motion) -> bool:
    """Whether the camera turned only, and clearly so: what leaves the plane is then no parallax."""
    evidence = motion.evidence
    return (
        motion.status is Status.ROTATION
        and evidence is not None
        and evidence.rotation > evidence.moving + TURNS
    )


def _known(motion: Motion, camera_matrix: Matrix) -> tuple[Matrix, Matrix] | None:
    """Return the homography of what is infinitely far, and the epipole, both in pixels of the target."""
    if motion.status is not Status.MOVING or motion.rotation is None or motion.translation is None:
        return None
    H = camera_matrix @ motion.rotation @ np.linalg.inv(camera_matrix)
    return H, camera_matrix @ motion.translation.direction


def _against_plane(off2: Map, variance: Map, clear: Map) -> Map:
    """Compare with a plane alone; where an object's rim drags the flow along, its residual says less."""
    largest2 = cv2.dilate(off2, np.ones((RIM, RIM), np.uint8))
    rim = np.where(off2 < PART**2 * largest2, LOOSE**2 * largest2, np.float32(0))
    return _log_odds(off2, variance * _noise(off2 / variance, clear, 1) + rim)


def _log_odds(square: Map, variance: Map) -> Map:
    """Log-likelihood ratio of a squared residual of two components: moving at some speed, over at rest."""
    moving = variance + np.float32(SPEED**2)
    return np.asarray(0.5 * square * (1 / variance - 1 / moving) - np.log(moving / variance))


def _noise(square: Map, clear: Map, components: int) -> float:
    """Variance of the residuals over the predicted one, by the median of the cells that can tell."""
    seen = square[clear > CLEAR]
    return max(LEAST_NOISE, float(np.median(seen)) / CHI2_MEDIAN[components]) if seen.size else 1.0


def _nearness(off: Parallax, variance: Map, clear: Map, smooth: EdgeAwareFilter) -> Map:
    """(h, w) the displacement over the distance to the epipole, within surfaces; < 0: the wrong way."""
    weight = clear * np.square(off.distance) / variance
    sums, total = smooth(off.along / off.distance, weight / weight.max() + np.float32(1e-6))
    return np.asarray(sums / total)


def _beyond_surroundings(off: Parallax, nearness: Map, clear: Map) -> Map:
    """(h, w) pixels by which a cell is displaced as if it were farther than what lies behind everything.

    The displacements are taken from a plane amid the scene: beyond it a region is believed to be, unless
    nearer ones surround it, and it is so by more than the plane's own errors.
    """
    allowed = np.minimum(filled(nearness), 0)
    large = float(np.quantile(np.abs(off.along[clear > CLEAR]), LARGE)) if (clear > CLEAR).any() else 0.0
    return np.asarray(np.maximum((allowed - nearness) * off.distance - PARALLAX_ERROR * large, 0))


def _rotation_error(motion: Motion, camera_matrix: Matrix) -> float:
    """Pixels by which a wrong rotation may displace what is infinitely far: no point is farther by more."""
    assert motion.translation is not None
    about_x, about_y = np.diag(motion.translation.covariance)[2:4]
    return ROTATION_ERROR + 3 * float(camera_matrix[0, 0] * np.sqrt(about_x + about_y))


def _mostly_negative(off: Parallax, variance: Map, clear: Map) -> bool:
    return float((clear * np.clip(off.along / np.sqrt(variance), -10, 10)).sum()) < 0


@kernel()
def filled(values):
    """Fill the basins of a map (h, w): no value stays below the lowest pass to the border."""
    height, width = values.shape
    level = np.full((height, width), np.inf, np.float32)
    level[0], level[height - 1] = values[0], values[height - 1]
    level[:, 0], level[:, width - 1] = values[:, 0], values[:, width - 1]
    for _ in range(FILL_ROUNDS):
        for y in range(1, height - 1):
            for x in range(1, width - 1):
                before = min(
                    min(level[y - 1, x - 1], level[y - 1, x]), min(level[y - 1, x + 1], level[y, x - 1])
                )
                level[y, x] = max(values[y, x], min(level[y, x], before))
        for y in range(height - 2, 0, -1):
            for x in range(width - 2, 0, -1):
                after = min(
                    min(level[y + 1, x - 1], level[y + 1, x]), min(level[y + 1, x + 1], level[y, x + 1])
                )
                level[y, x] = max(values[y, x], min(level[y, x], after))
    return level


def _clear(cells: Cells) -> Map:
    """(h, w) from 0, no texture, to 1."""
    texture = cells.tensor[..., 0] + cells.tensor[..., 2]
    return np.asarray(texture / (texture + np.float32(TEXTURED**2)))


def _texture_along(tensor: NDArray[np.floating], residual: Vectors) -> Map:
    """(h, w) how much the image changes along the residual: 0 where it could be anything, to 1."""
    u, v = residual[..., 0], residual[..., 1]
    xx, xy, yy = np.moveaxis(tensor, -1, 0)
    along = (u * u * xx + 2 * u * v * xy + v * v * yy + SHORT * (xx + yy) / 2) / (u * u + v * v + SHORT)
    return np.asarray(along / (along + np.float32(TEXTURED**2)))


def _normalisation(cells: Cells) -> Matrix:
    """Transform (3, 3) of pixels to coordinates of about one, for a well conditioned fit."""
    height, width = cells.size
    reach = max(height, width) / 2
    return np.array([[1 / reach, 0, -width / 2 / reach], [0, 1 / reach, -height / 2 / reach], [0, 0, 1]])


def _transformed(affine: Matrix, points: NDArray[np.floating]) -> NDArray[np.floating]:
    return points @ affine[:2, :2].T.astype(np.float32) + affine[:2, 2].astype(np.float32)


def _thinned(values: Map) -> Map:
    """Every third cell of every third row, in one line."""
    return values[::SPACING, ::SPACING].reshape(-1, *values.shape[2:])


def _square(vectors: Vectors) -> Map:
    return np.asarray(np.square(vectors[..., 0]) + np.square(vectors[..., 1]))


def _unit(vector: Matrix) -> Matrix:
    return np.asarray(vector / np.linalg.norm(vector))
