"""Folders of images, and patterns such as "left/*.png", in natural order."""

from __future__ import annotations

import glob
import io
import re
import warnings
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import chain
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageFile, ImageOps, UnidentifiedImageError

from sources.reading.quiet import quiet_opencv
from streamflow.errors import SourceError
from streamflow.values import Frame, Health, SourceInfo
from streamflow.values import Image as Pixels

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".pgm", ".ppm", ".pnm", ".webp")
SENSOR_BITS = (8, 10, 12, 14, 16, 32)
SAMPLES = 9  # deep images looked at to find the bit depth of a folder


class Unreadable(Exception):
    """An image that cannot be read whole; the message says why."""


class ImagesSource:
    """The images of a folder or pattern as a stream.

    An image that cannot be read whole is named, counted as damaged and passed over. Images of more than 8
    bits are divided by one power of two for the whole folder, so that brightness does not jump.
    Transparent parts turn black; EXIF orientation is applied.

    Parameters
    ----------
    spelling : str
        A folder or a glob pattern.
    fps : Fraction, optional
        Frames a second; without it the frames have no time.
    every_frame : bool
        A folder always gives every image.
    """

    def __init__(self, spelling: str, *, fps: Fraction | None = None, every_frame: bool = False) -> None:
        self.health = Health()
        self._fps = fps
        self._paths = find_images(spelling)
        self._bits: int | None = None  # of the deep images, once there is one
        self._frames = self._read()
        first = next(self._frames, None)
        if first is None:
            raise SourceError(f"{spelling}: none of its images can be read ({self.health.notes[0]})")
        self._frames = chain([first], self._frames)
        self.info = SourceInfo(
            name=spelling,
            stem=self._paths[0].resolve().parent.name,
            length=len(self._paths),
            rate=fps,
            size=first.size,
            focal_35mm=focal_35mm(self._paths[first.index]),
        )

    def __iter__(self) -> Iterator[Frame]:
        return self._frames

    def close(self) -> None:
        """End the stream; no file is held open."""
        self._frames = iter(())

    def _read(self) -> Iterator[Frame]:
        size: tuple[int, ...] | None = None
        gaps: list[str] = []
        for index, path in enumerate(self._paths):
            try:
                pixels = read_image(path)
            except Unreadable as error:
                self.health.damaged += 1
                self.health.note(f"{path.name}: {error}")
                gaps = [f"{path.name} cannot be read"]
                continue
            if pixels.dtype != np.uint8:
                gaps += self._fit_depth(pixels, path)
                pixels = to_8_bits(pixels, self._bits or 8)
            if size not in (None, pixels.shape[:2]):
                gaps.append("size changes from {1}x{0} to {3}x{2}".format(*size or (), *pixels.shape[:2]))
                self.health.note(f"{path.name}: {gaps[-1]}")
            size = pixels.shape[:2]
            self.health.decoded += 1
            self.health.gaps += bool(gaps)
            yield Frame(index, bgr(pixels), index / self._fps if self._fps else None, "; ".join(gaps) or None)
            gaps = []

    def _fit_depth(self, pixels: NDArray[np.integer], path: Path) -> list[str]:
        """Make the folder's bit depth hold `pixels`; what that breaks."""
        if self._bits is None:
            self._bits = find_depth(self._paths)
            self.health.note(f"{pixels.dtype} images, read as {self._bits} bits deep")
        needed = depth(pixels)
        if needed <= self._bits:
            return []
        gap = f"{path.name} is {needed} bits deep, the images before it {self._bits}: scaled anew"
        self._bits = needed
        self.health.note(gap)
        return [gap]


def find_images(spelling: str) -> list[Path]:
    """Images of a folder or pattern in natural order: frame_2 before frame_10.

    Raises
    ------
    SourceError
        There are none.
    """
    pattern = f"{glob.escape(spelling)}/*" if Path(spelling).is_dir() else spelling
    images = glob_images(pattern)
    if not images:
        below = glob_images(f"{pattern}/*")
        hint = f"try {below[0].parent}" if below else f"looked for {', '.join(SUFFIXES)}"
        raise SourceError(f"{spelling}: no images there; {hint}")
    return sorted(images, key=natural_order)


def glob_images(pattern: str) -> list[Path]:
    """Files that match and are images by their name; hidden ones are other programs' litter."""
    paths = map(Path, glob.glob(pattern, recursive=True))
    return [path for path in paths if path.suffix.lower() in SUFFIXES and path.is_file()]


def natural_order(path: Path) -> tuple[list[str | int], str]:
    """Sort key by which numbers in names count as numbers."""
    parts = re.split(r"(\d+)", str(path))
    return [int(part) if i % 2 else part.casefold() for i, part in enumerate(parts)], str(path)


def read_image(path: Path) -> NDArray[np.integer]:
    """(H, W) grey or (H, W, 3) BGR, uint8 or as deep as the file is; upright.

    Raises
    ------
    Unreadable
        The file is damaged, incomplete or no image.
    """
    try:
        data = path.read_bytes()
        if not data:
            raise Unreadable("is empty (0 bytes)")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of odd metadata
            image = Image.open(io.BytesIO(data))
            if image.mode == "F":
                raise Unreadable("holds floating-point values; convert it to 16 bits")
            deep = is_deep(image)
            if not (deep and image.format == "PPM"):  # those Pillow reads too slowly
                image.load()  # unlike OpenCV, it refuses half an image
            return read_deep(data) if deep else read_shallow(image)
    except Unreadable:
        raise
    except UnidentifiedImageError:
        raise Unreadable("is no image, or its header is damaged") from None
    except Exception as error:  # damaged files bring out every kind of error in the decoders
        raise Unreadable(str(error).partition("\n")[0] or type(error).__name__) from error


def is_deep(image: ImageFile.ImageFile) -> bool:
    """Whether the file holds more than 8 bits a channel; Pillow would cut them off. Ask before loading."""
    if image.format == "PPM" and isinstance(image.tile[0][3], tuple):
        return bool(image.tile[0][3][-1] > 255)
    return image.mode.startswith("I") or any(";16" in str(tile[3]) for tile in image.tile)


def read_deep(data: bytes) -> NDArray[np.integer]:
    """Every bit of a deep image; its alpha, if any, is left out."""
    with quiet_opencv():
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_ANYDEPTH | cv2.IMREAD_COLOR)
    if pixels is None:
        raise Unreadable("is damaged or cut off")
    return np.asarray(pixels)


def read_shallow(image: Image.Image) -> Pixels:
    """An image of 8 bits or less: palette, CMYK and other colours as BGR, transparent parts black."""
    image = oriented(image)
    if image.mode in ("1", "L"):
        return np.asarray(image.convert("L"))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.composite(image.convert("RGB"), Image.new("RGB", image.size), image.getchannel("A"))
    return cv2.cvtColor(np.asarray(image.convert("RGB")), cv2.COLOR_RGB2BGR).astype(np.uint8, copy=False)


def oriented(image: Image.Image) -> Image.Image:
    """`image` upright by its EXIF orientation; as it is if that is damaged."""
    try:
        return ImageOps.exif_transpose(image)
    except Exception:
        return image


def focal_35mm(path: Path) -> float | None:
    """Focal length in millimetres on 35 mm film, if EXIF has it."""
    try:
        with Image.open(path) as image:
            focal = image.getexif().get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.FocalLengthIn35mmFilm)
            return float(focal or 0) or None
    except Exception:  # absent or damaged: not known
        return None


def depth(pixels: NDArray[np.integer]) -> int:
    """Smallest bit depth of a sensor that holds all values."""
    return next(bits for bits in SENSOR_BITS if int(pixels.max()).bit_length() <= bits)


def find_depth(paths: Sequence[Path]) -> int:
    """Bit depth of the deep images among a sample spread over `paths`."""
    found = 8
    for i in np.unique(np.linspace(0, len(paths) - 1, SAMPLES).round().astype(int)):
        try:
            pixels = read_image(paths[i])
        except Unreadable:
            continue
        if pixels.dtype != np.uint8:
            found = max(found, depth(pixels))
    return found


def to_8_bits(pixels: NDArray[np.integer], bits: int) -> Pixels:
    """The upper 8 of `bits` bits."""
    return (pixels >> (bits - 8)).astype(np.uint8)


def bgr(pixels: NDArray[np.integer]) -> Pixels:
    """(H, W, 3) uint8 of grey or colour."""
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., None], 3, axis=2)
    return pixels.astype(np.uint8, copy=False)
