"""Pictures of another form than the source gives them: turned, a part of them, of another size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np

from sources import Source
from sources.options import SourceOptions
from streamflow.errors import SourceError, UsageError
from streamflow.values import Frame, Image, Matrix, SourceInfo

SMALLEST = 16  # pixels a side: the flow looks at windows
LARGEST = 16384  # pixels a side: more than any encoder takes


class Reshaped:
    """The frames of `source`, turned, cropped, then scaled; what was true of their pixels is so no more."""

    def __init__(self, source: Source, options: SourceOptions) -> None:
        self._source, self._options = source, options
        self.health = source.health
        self.info = self._describe(source.info)

    def __iter__(self) -> Iterator[Frame]:
        for frame in self._source:
            part = crop(turn(frame.image, self._options.rotate), self._options.crop)
            image = scale(part, target_size(part.shape[1::-1], self._options.size))
            yield replace(frame, image=image, truth=None)

    def close(self) -> None:
        """Release the source."""
        self._source.close()

    def _describe(self, info: SourceInfo) -> SourceInfo:
        assert info.size is not None
        turned = info.size[::-1] if self._options.rotate % 180 else info.size
        x, y, *part = inside(self._options.crop or (0, 0, *turned), turned)
        size = target_size(tuple(part), self._options.size)
        moved = np.array([[1.0, 0, -x], [0, 1, -y], [0, 0, 1]]) @ turning(info.size, self._options.rotate)
        transform = scaling((part[0], part[1]), size) @ moved
        return replace(info, size=size, original_size=info.size, from_original=transform)


def target_size(size: tuple[int, ...], wanted: int | tuple[int, int | None] | None) -> tuple[int, int]:
    """(width, height) of a picture of `size` when `wanted` was asked for."""
    if wanted is None:
        return size[0], size[1]
    width, height = (wanted, None) if isinstance(wanted, int) else wanted
    return width, height or max(1, round(size[1] * width / size[0]))


def turn(image: Image, degrees: int) -> Image:
    """`image` turned clockwise by a multiple of 90 degrees."""
    return np.ascontiguousarray(np.rot90(image, -degrees // 90))


def crop(image: Image, part: tuple[int, int, int, int] | None) -> Image:
    """(x, y, width, height) of `image`; None: all of it."""
    if part is None:
        return image
    x, y, width, height = inside(part, image.shape[1::-1])
    return np.ascontiguousarray(image[y : y + height, x : x + width])


def inside(part: tuple[int, int, int, int], size: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Return `part` of a picture of `size`.

    Raises
    ------
    UsageError
        It is not in the picture.
    """
    x, y, width, height = part
    if x < 0 or y < 0 or min(width, height) < 1 or x + width > size[0] or y + height > size[1]:
        words = ",".join(map(str, part))
        raise UsageError(f"crop {words}: is not a part of the {size[0]}x{size[1]} pictures")
    return part


def scale(image: Image, size: tuple[int, int]) -> Image:
    """`image` at another size; what is made smaller is averaged, so that nothing aliases."""
    smaller = size[0] < image.shape[1] or size[1] < image.shape[0]
    method = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, size, interpolation=method), np.uint8)


def turning(size: tuple[int, int], degrees: int) -> Matrix:
    """(3, 3) pixels of a picture of `size` -> pixels of the same picture turned clockwise."""
    transform = np.eye(3)
    for _ in range(degrees // 90 % 4):
        width, height = size
        transform = np.array([[0.0, -1, height - 1], [1, 0, 0], [0, 0, 1]]) @ transform
        size = height, width
    return transform


def scaling(size: tuple[int, int], new: tuple[int, int]) -> Matrix:
    """(3, 3) pixels of a picture of `size` -> pixels at another size; its corner is the fixed point."""
    across, down = new[0] / size[0], new[1] / size[1]
    return np.array([[across, 0, (across - 1) / 2], [0, down, (down - 1) / 2], [0, 0, 1]])


def check_size(info: SourceInfo) -> None:
    """Refuse pictures that the method cannot look at.

    Raises
    ------
    SourceError
        They are too small, or too large.
    """
    if info.size is None:
        return
    width, height = info.size
    if min(width, height) < SMALLEST:
        raise SourceError(
            f"{info.name}: pictures of {width}x{height} are too small; {SMALLEST}x{SMALLEST} is the least"
        )
    if max(width, height) > LARGEST:
        raise SourceError(
            f"{info.name}: pictures of {width}x{height} are too large; give a size such as 1920"
        )
