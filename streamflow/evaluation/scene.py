"""Analytic scenes: textured flat surfaces, rendered by exact inverse warping with exact depth.

Every surface is a plane with its own coordinates (s, t). A pixel x and a point (s, t) of the surface are
related by a homography, so image and depth are both exact up to the texture's interpolation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from streamflow.values import Image, Map, Matrix

TEXELS = 1024  # the texture repeats after so many
BLUR = 0.5  # mip levels coarser than a texel a pixel: as soft as a lens, without aliasing


@dataclass(frozen=True, eq=False)
class Surface:
    """A textured rectangle: the points corner + s side + t rise with 0 <= s <= width, 0 <= t <= height."""

    corner: Matrix  # (3,) world
    side: Matrix  # (3,) unit
    rise: Matrix  # (3,) unit, orthogonal to `side`
    width: float
    height: float
    colour: tuple[float, float, float] = (1.0, 1.0, 1.0)  # BGR factors on the grey texture
    texel: float = 0.02  # world units a texel
    seed: int = 0
    label: int = 0  # k: part of the k-th thing that moves by itself; 0: of the still scene

    @property
    def normal(self) -> Matrix:
        """(3,) unit."""
        return np.cross(self.side, self.rise)


def rectangle(
    corner: ArrayLike, side: ArrayLike, rise: ArrayLike, *, texel: float = 0.02, seed: int = 0,
    colour: tuple[float, float, float] = (1.0, 1.0, 1.0),
) -> Surface:  # fmt: skip
    """Make a surface whose sides are the vectors `side` and `rise`, in world units."""
    side, rise = np.asarray(side, float), np.asarray(rise, float)
    width, height = float(np.linalg.norm(side)), float(np.linalg.norm(rise))
    return Surface(np.asarray(corner, float), side / width, rise / height, width, height, colour, texel, seed)


def box(
    corner: ArrayLike, size: tuple[float, float, float], *, texel: float = 0.01, seed: int = 0,
    colour: tuple[float, float, float] = (1.0, 1.0, 1.0),
) -> list[Surface]:  # fmt: skip
    """Make the faces of a box that a camera in front of it can see: front, both sides, top and bottom."""
    x, y, z = np.diag(np.asarray(size, float))
    corner = np.asarray(corner, float)
    faces = [(corner, x, y), (corner, z, y), (corner + x, z, y), (corner, x, z), (corner + y, x, z)]
    return [
        rectangle(start, side, rise, texel=texel, seed=seed + i, colour=colour)
        for i, (start, side, rise) in enumerate(faces)
    ]


def placed(surfaces: Sequence[Surface], displacement: Matrix, label: int) -> list[Surface]:
    """Return the surfaces moved by (3,) world units, as parts of the thing with that label."""
    return [replace(surface, corner=surface.corner + displacement, label=label) for surface in surfaces]


def render(
    surfaces: Sequence[Surface], pose: Matrix, camera_matrix: Matrix, size: tuple[int, int]
) -> tuple[Image, Map]:
    """Render what a pinhole camera sees.

    Parameters
    ----------
    surfaces : sequence of Surface
    pose : ndarray, shape (4, 4)
        Camera to world.
    camera_matrix : ndarray, shape (3, 3)
        Pixels.
    size : (width, height)
        Pixels.

    Returns
    -------
    image : ndarray of uint8, shape (H, W, 3)
        BGR; black where there is no surface.
    depth : ndarray of float32, shape (H, W)
        z in world units, NaN where there is no surface.
    """
    hits = trace(surfaces, pose, camera_matrix, size)
    return shade(surfaces, hits, pose, camera_matrix), hits.depth


@dataclass(frozen=True, eq=False)
class Hits:
    """What every pixel sees."""

    where: NDArray[np.int16]  # (H, W) index of the surface, -1 for none
    s: NDArray[np.float32]  # (H, W) place on it
    t: NDArray[np.float32]
    inverse: NDArray[np.float32]  # (H, W) 1/z

    @property
    def depth(self) -> Map:
        """(H, W) z in world units, NaN where there is no surface."""
        return np.where(self.where >= 0, 1 / self.inverse, np.nan).astype(np.float32)

    def labels(self, surfaces: Sequence[Surface]) -> NDArray[np.uint8]:
        """(H, W) label of the surface that is seen, 0 where there is none."""
        return np.array([*(surface.label for surface in surfaces), 0], np.uint8)[self.where]


def trace(surfaces: Sequence[Surface], pose: Matrix, camera_matrix: Matrix, size: tuple[int, int]) -> Hits:
    """Find the nearest surface of every pixel; parameters as for `render`."""
    width, height = size
    nearest = np.full((height, width), 1e-6, np.float32)  # inverse depth of what was seen so far
    where = np.full((height, width), -1, np.int16)
    s, t = np.zeros_like(nearest), np.zeros_like(nearest)
    for i, surface in enumerate(surfaces):
        here_s, here_t, inverse = _trace(surface, pose, camera_matrix, size)
        seen = (
            (inverse > nearest)
            & (here_s >= 0) & (here_s <= surface.width)
            & (here_t >= 0) & (here_t <= surface.height)
        )  # fmt: skip
        nearest[seen], where[seen], s[seen], t[seen] = inverse[seen], i, here_s[seen], here_t[seen]
    return Hits(where, s, t, nearest)


def _trace(
    surface: Surface, pose: Matrix, camera_matrix: Matrix, size: tuple[int, int]
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """(s, t, 1/z) of the surface's plane at every pixel: z K^-1 x = M (s, t, 1)."""
    rotation, centre = pose[:3, :3].T, pose[:3, 3]
    to_camera = np.column_stack(
        [rotation @ surface.side, rotation @ surface.rise, rotation @ (surface.corner - centre)]
    )
    if abs(np.linalg.det(to_camera)) < 1e-9:  # seen exactly edge-on
        nothing = np.full((size[1], size[0]), -1, np.float32)
        return nothing, nothing, nothing
    h = np.linalg.inv(to_camera) @ np.linalg.inv(camera_matrix)
    x, y = np.arange(size[0]), np.arange(size[1])[:, None]
    s, t, inverse = ((row[0] * x + row[1] * y + row[2]).astype(np.float32) for row in h)
    with np.errstate(divide="ignore", invalid="ignore"):
        return s / inverse, t / inverse, inverse


def shade(surfaces: Sequence[Surface], hits: Hits, pose: Matrix, camera_matrix: Matrix) -> Image:
    """Look the texture up at a resolution that fits the pixel's footprint (trilinear mip map)."""
    where, s, t, inverse = hits.where, hits.s, hits.t, hits.inverse
    texel = np.array([surface.texel for surface in surfaces] + [1.0], np.float32)[where]
    shift = np.array([surface.seed * 97.3 % TEXELS for surface in surfaces] + [0.0], np.float32)[where]
    footprint = _footprint(surfaces, where, inverse, pose, camera_matrix) / texel
    level = np.clip(np.log2(np.maximum(footprint, 1e-6)) + BLUR, 0, len(_texture()) - 1.001)
    grey = np.zeros_like(inverse)
    for i, texture in enumerate(_texture()):
        weight = np.maximum(1 - abs(level - i), 0)
        if not weight.any():
            continue
        scale = 2.0**-i  # texel centres of level i lie at (k + 1/2) 2^i - 1/2 of level 0
        across = (s / texel + shift + 0.5) * scale - 0.5
        down = (t / texel + shift * 0.7 + 0.5) * scale - 0.5
        grey += weight * cv2.remap(texture, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    colours = np.array([surface.colour for surface in surfaces] + [(0, 0, 0)], np.float32)
    shaded: Image = np.clip(grey[..., None] * colours[where] + 0.5, 0, 255).astype(np.uint8)
    return shaded


def _footprint(
    surfaces: Sequence[Surface],
    where: NDArray[np.int16],
    inverse: NDArray[np.float32],
    pose: Matrix,
    camera_matrix: Matrix,
) -> NDArray[np.float32]:
    """Length of a pixel on the surface, in world units: the longer side of its slanted patch."""
    normals = np.array([surface.normal @ pose[:3, :3] for surface in surfaces] + [(0, 0, 1)], np.float32)
    height, width = where.shape
    x = (np.arange(width, dtype=np.float32) - camera_matrix[0, 2]) / camera_matrix[0, 0]
    y = ((np.arange(height, dtype=np.float32) - camera_matrix[1, 2]) / camera_matrix[1, 1])[:, None]
    n = normals[where]
    cosine = abs(n[..., 0] * x + n[..., 1] * y + n[..., 2]) / np.sqrt(x * x + y * y + 1)
    length = 1 / (inverse * camera_matrix[0, 0] * np.sqrt(np.maximum(cosine, 1e-3)))
    return np.asarray(length, np.float32)


@lru_cache(1)
def _texture() -> tuple[NDArray[np.float32], ...]:
    """Random texture with detail at every scale, grey levels, and its mip levels."""
    rng = np.random.default_rng(7)
    texture = np.zeros((TEXELS, TEXELS), np.float32)
    for sigma, contrast in ((1.5, 22.0), (4.0, 26.0), (12.0, 24.0), (40.0, 18.0)):
        texture += contrast * _periodic_noise(rng, sigma)
    levels = [np.clip(128 + texture, 8, 247).astype(np.float32)]
    while levels[-1].shape[0] > 16:
        half = cv2.resize(levels[-1], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        levels.append(np.asarray(half, np.float32))
    return tuple(levels)


def _periodic_noise(rng: np.random.Generator, sigma: float) -> NDArray[np.float32]:
    """Gaussian noise of unit variance, smoothed to `sigma` texels, without a seam."""
    frequency = np.fft.fftfreq(TEXELS)
    response = np.exp(-2 * (np.pi * sigma * frequency) ** 2)
    spectrum = np.fft.fft2(rng.standard_normal((TEXELS, TEXELS))) * response[:, None] * response
    noise = np.fft.ifft2(spectrum).real
    return np.asarray(noise / noise.std(), np.float32)
