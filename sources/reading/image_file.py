"""One image file as arrays: every page of it, upright, as deep as it is."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import count
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageFile, ImageOps, UnidentifiedImageError
from PIL.TiffImagePlugin import TiffImageFile

from sources.reading.quiet import quiet_opencv
from streamflow.values import Image as Pixels

# Formats whose pages are pictures in sequence; those of others are previews, gain maps, the other eye.
SEQUENCES = ("TIFF", "WEBP", "GIF", "PNG", "AVIF")
SUBFILE_TYPE, REDUCED = 254, 1  # TIFF's mark of a smaller copy of another page
SHOWN = Fraction(1, 10)  # seconds that browsers show a picture for which an animation gives no time
ATTEMPTS = 8  # pages in a row that cannot be read, after which the rest of a file is given up
TIFF = (b"II*\0", b"MM\0*")


class Unreadable(Exception):
    """An image that cannot be read whole; the message says why."""


@dataclass(frozen=True, eq=False)
class Picture:
    """One page of an image file."""

    pixels: NDArray[Any]  # (H, W) grey or (H, W, 3) BGR, uint8 or as deep as the file is
    seconds: Fraction | None = None  # how long it is shown, if the file is an animation
    remark: str = ""  # what is to be said of pictures in the file that are left out


def read_pages(path: Path, skip: int = 0) -> Iterator[Picture | Unreadable | None]:
    """Yield every page of the file at `path`, or why it cannot be read; None in place of the first `skip`."""
    try:
        pages = Pages(path)
    except Unreadable as error:
        yield error
        return
    failures = 0
    for i, number in enumerate(pages.numbers):
        if i < skip:
            yield None
            continue
        try:
            picture: Picture | Unreadable = pages.read(number)
            failures = 0
        except Unreadable as error:
            picture = error
            failures += 1
        yield picture
        if failures == ATTEMPTS:  # a damaged header may promise any number of pages
            return


class Pages:
    """The pages of one image file, or of its bytes, read one by one.

    Raises
    ------
    Unreadable
        Here or in `read`: the file is damaged, incomplete or no image.
    """

    def __init__(self, file: Path | bytes) -> None:
        self._left_out = ""
        with _faults():
            self._data = file if isinstance(file, bytes) else file.read_bytes()
            if not self._data:
                raise Unreadable("is empty (0 bytes)")
            whole = _whole_chunks(self._data) if self._data[8:12] == b"WEBP" else self._data
            self._torn = whole is not self._data
            self._image = _opened(whole)
            self.numbers = self._find_pages()

    def read(self, page: int) -> Picture:
        """Read a page, the pages before it having been read, or not."""
        with _faults():
            if self._torn and page == self.numbers[-1]:
                raise Unreadable("is cut off")
            if self._image is None:
                return Picture(_deep(self._data, page))
            if self._image.tell() != page:
                self._image.seek(page)
            deep = _is_deep(self._image)
            if not (deep and self._image.format == "PPM"):  # those Pillow reads too slowly
                self._image.load()  # unlike OpenCV, it refuses half an image
            pixels = _deep(self._data, page) if deep else _shallow(self._image)
            return Picture(pixels, self._seconds(), self._left_out)

    def _find_pages(self) -> Sequence[int]:
        """Which pages are pictures of the sequence."""
        if isinstance(self._image, TiffImageFile):
            return self._pages_of_tiff(self._image)
        held = getattr(self._image, "n_frames", 1)
        if self._image is not None and held > 1 and self._image.format not in SEQUENCES:
            self._left_out = f"{self._image.format} files hold further pictures: the first of each is read"
            return [0]
        return range(held + self._torn)

    def _pages_of_tiff(self, image: TiffImageFile) -> list[int]:
        """Pages that are no reduced copies of others, and the one after which the list is damaged."""
        pages = []
        for page in count():
            try:
                image.seek(page)
            except EOFError:
                break
            except Exception:
                pages.append(page)  # reading it will tell why
                break
            if page and image.tag_v2.get(SUBFILE_TYPE, 0) & REDUCED:
                self._left_out = "TIFF pages that are reduced copies of others are left out"
            else:
                pages.append(page)
        image.seek(0)
        return pages

    def _seconds(self) -> Fraction | None:
        milliseconds = None if self._image is None else self._image.info.get("duration")
        if len(self.numbers) == 1 or milliseconds is None:
            return None
        return Fraction(round(1000 * milliseconds), 10**6) or SHOWN


def holds_one_picture(path: Path) -> bool:
    """Whether the file has one page; one that cannot be read has one too."""
    try:
        return len(Pages(path).numbers) == 1
    except Unreadable:
        return True


def projection(path: Path) -> str | None:
    """How the picture shows the directions around the camera, by Google's XMP; None: flat."""
    try:
        with _faults(), Image.open(path) as image:
            found = re.search(rb'ProjectionType(?:="|>)\s*(\w+)', image.info.get("xmp", b""))
    except Unreadable:
        return None
    return None if found is None else found[1].decode()


def focal_35mm(path: Path) -> float | None:
    """Focal length in millimetres on 35 mm film, if EXIF has it."""
    try:
        with _faults(), Image.open(path) as image:
            focal = image.getexif().get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.FocalLengthIn35mmFilm)
            return float(focal or 0) or None
    except Unreadable:  # absent or damaged: not known
        return None


@contextmanager
def _faults() -> Iterator[None]:
    """Context in which whatever a decoder finds wrong is `Unreadable`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of odd metadata
            yield
    except Unreadable:
        raise
    except UnidentifiedImageError:
        raise Unreadable("is no image, or its header is damaged") from None
    except Exception as error:  # damaged files bring out every kind of error in the decoders
        raise Unreadable(str(error).partition("\n")[0] or type(error).__name__) from error


def _opened(data: bytes) -> ImageFile.ImageFile | None:
    """Pillow's view of the file; None: a TIFF of a kind that only OpenCV knows, such as colour in floats."""
    try:
        return Image.open(io.BytesIO(data))
    except UnidentifiedImageError:
        if data.startswith(TIFF):
            return None
        raise


def _whole_chunks(data: bytes) -> bytes:
    """A WebP file without the chunk that is cut off at its end, for which decoders refuse all of it."""
    if int.from_bytes(data[4:8], "little") + 8 <= len(data):
        return data
    end = following = 12
    while following <= len(data):
        end = following
        size = int.from_bytes(data[end + 4 : end + 8], "little")
        following += 8 + size + size % 2
    if not any(picture in data[:end] for picture in (b"VP8 ", b"VP8L", b"ANMF")):
        raise Unreadable("is cut off")
    return data[:4] + (end - 8).to_bytes(4, "little") + data[8:end]


def _is_deep(image: ImageFile.ImageFile) -> bool:
    """Whether the page holds more than 8 bits a channel; Pillow would cut them off. Ask before loading."""
    if image.format == "PPM" and isinstance(image.tile[0][3], tuple):
        return bool(image.tile[0][3][-1] > 255)
    return image.mode[0] in "IF" or any(";16" in str(tile[3]) for tile in image.tile)


def _deep(data: bytes, page: int) -> NDArray[Any]:
    """Every bit of a deep page; its alpha, if any, is left out."""
    with quiet_opencv():
        flags = cv2.IMREAD_ANYDEPTH | cv2.IMREAD_ANYCOLOR
        _, pages = cv2.imdecodemulti(np.frombuffer(data, np.uint8), flags, range=(page, page + 1))
    if not pages:
        raise Unreadable("is damaged or cut off")
    return np.asarray(pages[0])


def _shallow(image: Image.Image) -> Pixels:
    """An image of 8 bits or less: palette, CMYK and other colours as BGR, transparent parts black."""
    image = _oriented(image)
    if image.mode in ("1", "L"):
        return np.asarray(image.convert("L"))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.composite(image.convert("RGB"), Image.new("RGB", image.size), image.getchannel("A"))
    return cv2.cvtColor(np.asarray(image.convert("RGB")), cv2.COLOR_RGB2BGR).astype(np.uint8, copy=False)


def _oriented(image: Image.Image) -> Image.Image:
    """`image` upright by its EXIF orientation; as it is if that is damaged."""
    try:
        return ImageOps.exif_transpose(image)
    except Exception:
        return image
