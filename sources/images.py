"""Folders of images, patterns such as "left/*.png", and files of many pages, in natural order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from fractions import Fraction
from itertools import chain
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sources.reading.image_file import Pages, Picture, Unreadable, focal_35mm, projection, read_pages
from sources.reading.image_files import find_images, missing_before
from sources.reading.levels import EightBits, Levels
from sources.reading.picture import size_change
from streamflow.errors import SourceError, UsageError
from streamflow.values import Frame, Health, SourceInfo

SAMPLES = 9  # deep images looked at to find the levels of a folder


class ImagesSource:
    """Images as a stream, every page of each.

    An image that cannot be read whole is named, counted as damaged and passed over. Images of more than 8
    bits are mapped by levels that hold for all of them. Transparent parts turn black; EXIF orientation is
    applied. A gap in the numbers of their names is a gap.

    Parameters
    ----------
    spec : str or sequence of str
        A folder, a pattern, one file of several pages, or files in their order.
    fps : Fraction, optional
        Frames a second; without it the frames have no time, unless they are one animation.
    levels : tuple of float, optional
        Values that become black and white, of images deeper than 8 bits; default: from a sample.
    """

    def __init__(
        self,
        spec: str | Sequence[str],
        *,
        fps: Fraction | None = None,
        levels: tuple[float, float] | None = None,
    ) -> None:
        self.health = Health()
        self._fps = fps
        self._paths, notes = find_images(spec) if isinstance(spec, str) else ([*map(Path, spec)], [])
        given = None if levels is None else Levels(*levels)
        self._8_bits = EightBits(self.health, given, lambda: sample(self._paths))
        self._elapsed = Fraction(0)  # of an animation
        name = spec if isinstance(spec, str) else ", ".join(spec)
        for note in notes:
            self.health.note(note)
        self._frames = self._read()
        first = next(self._frames, None)
        if first is None:
            raise SourceError(f"{name}: none of its images can be read ({self.health.notes[-1]})")
        count = self._count()
        if count == 1:
            raise SourceError(f"{name}: is one picture; motion needs two or more, or a folder of them")
        if levels is not None and not self._8_bits.deep:
            raise UsageError(f"{name}: its pictures are 8 bits deep; leave out levels")
        self._frames = chain([first], self._frames)
        self.info = SourceInfo(
            name=name,
            stem=self._paths[0].stem if len(self._paths) == 1 else self._paths[0].resolve().parent.name,
            length=count,
            rate=fps,
            size=first.size,
            projection=projection(self._paths[0]),
            focal_35mm=focal_35mm(self._paths[0]),
            files=tuple(map(str, self._paths)),
        )

    def __iter__(self) -> Iterator[Frame]:
        return self._frames

    def close(self) -> None:
        """End the stream; no file is held open."""
        self._frames = iter(())

    def seek(self, time: Fraction) -> bool:
        """Go on at `time` without reading the images before it; an animation's times are known by reading."""
        if self._fps is None:
            return False
        self._frames = self._read(ceil(time * self._fps))
        return True

    def _count(self) -> int:
        if len(self._paths) > 1:
            return len(self._paths)
        return len(Pages(self._paths[0]).numbers)

    def _read(self, start: int = 0) -> Iterator[Frame]:
        """Frames from the index `start` on."""
        index, size, gaps = 0, None, list[str]()
        for path, missing in zip(self._paths, missing_before(self._paths), strict=True):
            index += missing
            if missing:
                gaps.append(f"{missing} image{'s are' if missing > 1 else ' is'} missing before {path.name}")
                self.health.note(gaps[-1])
            for picture in read_pages(path, start - index):
                if isinstance(picture, Unreadable):
                    self.health.damaged += 1
                    self.health.note(f"{path.name}: {picture}")
                    gaps = [f"{path.name} cannot be read"]
                elif picture is not None:
                    if picture.remark:
                        self.health.note(picture.remark)
                    image = self._8_bits(picture.pixels)
                    if change := size_change(size, image):
                        gaps.append(change)
                        self.health.note(f"{path.name}: {change}")
                    size, gap = image.shape, "; ".join(gaps) or None
                    self.health.decoded += 1
                    self.health.gaps += bool(gaps)
                    yield Frame(index, image, self._time(index, picture), gap)
                    gaps = []
                index += 1

    def _time(self, index: int, picture: Picture) -> Fraction | None:
        if self._fps is not None:
            return index / self._fps
        if len(self._paths) > 1 or picture.seconds is None:
            return None
        self._elapsed += picture.seconds
        return self._elapsed - picture.seconds


def sample(paths: Sequence[Path]) -> Iterator[NDArray[Any]]:
    """Deep pictures spread over the pages of one file, or over many files."""
    for share in np.linspace(0, 1, SAMPLES):
        with suppress(Unreadable):
            pages = Pages(paths[round(share * (len(paths) - 1))])
            pixels = pages.read(pages.numbers[round(share * (len(pages.numbers) - 1))]).pixels
            if pixels.dtype != np.uint8:
                yield pixels
