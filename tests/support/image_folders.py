"""Folders of images, and what the program reads of them."""

from __future__ import annotations

import shutil
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from sources.images import ImagesSource
from streamflow.values import Frame, Health
from tests.support.clips import picture


def write(path: Path, image: np.ndarray) -> Path:
    """Write through a name in ASCII, which is all that OpenCV takes everywhere."""
    plain = path.with_name("writing" + path.suffix)
    assert cv2.imwrite(str(plain), image)
    return plain.rename(path)


def folder_of(folder: Path, names: list[str]) -> Path:
    for i, name in enumerate(names):
        write(folder / name, picture(i))
    return folder


def read(spec: Path | str, fps: Fraction | None = None) -> tuple[list[Frame], Health]:
    source = ImagesSource(str(spec), fps=fps)
    frames = list(source)
    source.close()
    return frames, source.health


def read_twice(folder: Path) -> Frame:
    """Read the only image of `folder`, to which a copy is added: one picture is no stream."""
    (path,) = folder.iterdir()
    shutil.copy(path, path.with_stem("copy"))
    (frame, same), health = read(folder)
    np.testing.assert_array_equal(frame.image, same.image)
    assert health.whole
    return frame


def deep_picture(i: int, bits: int) -> np.ndarray:
    return (picture(i).astype(np.uint32) * (2**bits - 1) // 255).astype(np.uint16)
