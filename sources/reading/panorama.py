"""A flat view cut out of pictures that show every direction."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from sources import Source
from streamflow.errors import SourceError
from streamflow.geometry.camera import matrix_from_fov
from streamflow.values import Frame, Matrix, SourceInfo

EQUIRECTANGULAR = "equirectangular"
View = tuple[float, float, float]  # yaw to the right, pitch up, horizontal field of view, degrees


def flat(source: Source, view: View | None) -> Source:
    """`source` itself if its pictures are flat, or what `view` shows of them.

    Raises
    ------
    SourceError
        They are not flat and nobody said where to look, or they are of another projection than that.
    """
    projection = source.info.projection
    if view is not None and projection in (None, EQUIRECTANGULAR):
        return FlatView(source, view)
    if projection == EQUIRECTANGULAR:
        raise SourceError(
            f"{source.info.name}: shows all 360 degrees, which no flat camera does; "
            "give `view360` YAW,PITCH,FOV, such as 0,0,90 to look ahead"
        )
    if projection is not None:
        raise SourceError(
            f"{source.info.name}: the projection of its pictures ({projection}) is not known here; "
            "make them equirectangular or flat"
        )
    return source


class FlatView:
    """The frames of an equirectangular `source` as a pinhole camera within sees them, no less sharp."""

    def __init__(self, source: Source, view: View) -> None:
        assert source.info.size is not None
        self._source = source
        self.health = source.health
        size = size_of_view(source.info.size[0], view[2])
        self._matrix = matrix_from_fov(view[2], size)
        self._rays = np.asarray(rays_of(self._matrix, size) @ facing(view[0], view[1]).T)
        self._maps: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None
        self._size = (0, 0)  # of the pictures that the maps are for
        self.info: SourceInfo = replace(
            source.info, size=size, camera_matrix=self._matrix, focal_35mm=None, projection=None
        )

    def __iter__(self) -> Iterator[Frame]:
        for frame in self._source:
            if self._maps is None or frame.size != self._size:
                self._size, self._maps = frame.size, seen_at(self._rays, frame.size)
            image = cv2.remap(frame.image, *self._maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
            yield replace(frame, image=np.asarray(image, np.uint8), truth=None)

    def close(self) -> None:
        """Release the source."""
        self._source.close()


def size_of_view(width: int, fov: float) -> tuple[int, int]:
    """(width, height), 4:3 and even, at the panorama's pixels a degree in the middle."""
    across = width / np.pi * np.tan(np.radians(fov) / 2)
    return 2 * round(across / 2), 2 * round(across * 3 / 8)


def facing(yaw: float, pitch: float) -> Matrix:
    """(3, 3) camera to panorama of a camera that looks `yaw` degrees to the right and `pitch` up."""
    right = cv2.Rodrigues(np.radians([0.0, yaw, 0.0]))[0]
    up = cv2.Rodrigues(np.radians([pitch, 0.0, 0.0]))[0]
    return np.asarray(right @ up, np.float64)


def rays_of(K: Matrix, size: tuple[int, int]) -> Matrix:
    """(H, W, 3) directions of the pixels."""
    x, y = np.meshgrid(*map(np.arange, size))
    return np.asarray(np.dstack([x, y, np.ones_like(x)]) @ np.linalg.inv(K).T)


def seen_at(rays: Matrix, size: tuple[int, int]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Pixels x, y of an equirectangular picture of `size` in which rays (H, W, 3) are seen."""
    width, height = size
    x, y, z = np.moveaxis(rays, -1, 0)
    longitude, latitude = np.arctan2(x, z), np.arctan2(y, np.hypot(x, z))
    across, down = (longitude / (2 * np.pi) + 0.5) * width - 0.5, (latitude / np.pi + 0.5) * height - 0.5
    return across.astype(np.float32), np.clip(down, 0, height - 1).astype(np.float32)
