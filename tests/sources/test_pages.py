"""Files of many pictures: animations, and stacks of pages."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import cv2
import pytest
from PIL import Image

from sources import grouped, open_source
from sources.images import ImagesSource
from streamflow.values import Health
from tests.support.clips import cut, numbers, picture
from tests.support.image_folders import deep_picture, folder_of, read


def animation(path: Path, count: int, **how: object) -> Path:
    """Pictures in one file, each shown for 40 ms."""
    pages = [Image.fromarray(picture(i)[..., ::-1].copy()) for i in range(count)]
    pages[0].save(path, save_all=True, append_images=pages[1:], **how)
    return path


@pytest.mark.parametrize("suffix", ["webp", "png", "avif"])
def test_animation_is_a_stream_with_times(tmp_path, suffix):
    path = animation(tmp_path / f"moving.{suffix}", 12, duration=40)
    source = open_source(str(path))
    assert isinstance(source, ImagesSource)
    frames = list(source)
    assert numbers(frames) == list(range(12))
    assert [frame.time for frame in frames] == [Fraction(i, 25) for i in range(12)]
    assert (source.info.stem, source.info.length) == ("moving", 12)


def test_stack_of_pages(tmp_path):
    path = animation(tmp_path / "stack.tif", 12)
    assert numbers(open_source(str(path))) == list(range(12))
    frames = list(open_source(str(path), fps=Fraction(10), start=Fraction(1, 2)))
    assert numbers(frames) == list(range(5, 12))


def test_deep_stack_of_pages(tmp_path):
    cv2.imwritemulti(str(tmp_path / "stack.tif"), [deep_picture(i, 12) for i in range(12)])
    assert numbers(open_source(str(tmp_path / "stack.tif"))) == list(range(12))


def test_every_page_of_a_folder(tmp_path):
    for name, first in (("a.gif", 0), ("b.tif", 3), ("c.webp", 6), ("d.png", 9)):
        pages = [Image.fromarray(picture(first + i)[..., ::-1].copy()) for i in range(3)]
        pages[0].save(tmp_path / name, save_all=True, append_images=pages[1:])
    frames, health = read(tmp_path)
    assert numbers(frames) == list(range(12))
    assert [frame.index for frame in frames] == list(range(12))
    assert health == Health(decoded=12)


def test_reduced_copies_in_a_stack_are_left_out_and_said(tmp_path):
    pages = [Image.fromarray(picture(i // 2, (96, 64) if i % 2 == 0 else (48, 32))) for i in range(4)]
    for i, page in enumerate(pages):
        page.encoderinfo = {"tiffinfo": {254: i % 2}}
    pages[0].save(tmp_path / "pyramid.tif", save_all=True, append_images=pages[1:])
    source = open_source(str(tmp_path / "pyramid.tif"))
    assert numbers(source) == [0, 1]
    assert source.health.notes == ["TIFF pages that are reduced copies of others are left out"]


def test_further_pictures_of_a_photo_are_left_out_and_said(tmp_path):
    """A phone's photo with its gain map, or a stereo camera's with the other eye."""
    for i in range(2):
        animation(tmp_path / f"{i}.jpg", 2, format="MPO")
    frames, health = read(tmp_path)
    assert len(frames) == 2
    assert health.notes == ["MPO files hold further pictures: the first of each is read"]


@pytest.mark.parametrize("suffix", ["tif", "webp", "png"])
def test_half_an_animation_is_counted_and_the_rest_is_read(tmp_path, suffix):
    path = cut(animation(tmp_path / f"moving.{suffix}", 12), 0.6)
    source = open_source(str(path))
    assert numbers(source) == list(range(7))
    assert not source.health.whole
    assert "cut off" in source.health.notes[-1] or suffix != "webp"


@pytest.mark.parametrize("share", [0.1, 0.6, 0.999])
def test_a_webp_picture_that_is_cut_off_is_named(tmp_path, share):
    folder = folder_of(tmp_path, [f"{i}.webp" for i in range(4)])
    cut(folder / "2.webp", share)
    source = open_source(str(folder))
    assert [frame.index for frame in source] == [0, 1, 3]
    assert source.health.notes == ["2.webp: is cut off"]


def test_animations_are_streams_of_their_own(tmp_path):
    specs = [str(animation(tmp_path / f"{i}.webp", 3)) for i in range(2)]
    assert grouped(specs) == specs
