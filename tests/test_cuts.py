"""Cuts are found from the pictures, and nothing else is taken for one."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from sources.synthetic import SyntheticSource
from sources.video import VideoSource
from streamflow.cuts import CutDetector
from streamflow.pairs import frame_pairs
from streamflow.values import Frame, Health, Image
from tests.support.clips import write_clip

SIZE = (320, 208)


def rendered(name: str, count: int = 4) -> list[Image]:
    return [frame.image for frame in SyntheticSource(f"demo:{name},size={SIZE[0]}x{SIZE[1]},frames={count}")]


@pytest.fixture(scope="module")
def shots() -> list[list[Image]]:
    """Five shots of four frames that share neither the scene nor the way it is framed."""
    street, wall = rendered("turning"), rendered("wall")
    return [street, wall, [image[:, ::-1] for image in street], [image[::-1] for image in street], street]


def stream(images: Sequence[Image]) -> list[Frame]:
    return [
        Frame(index, np.ascontiguousarray(image), Fraction(index, 25)) for index, image in enumerate(images)
    ]


def cuts(images: Sequence[Image]) -> list[int]:
    """Positions of the first pictures of new shots."""
    detect = CutDetector()
    return [frame.index for frame in stream(images) if detect(frame)]


@pytest.mark.parametrize("crf", [None, 18, 28, 33])
def test_every_cut_between_short_shots_is_found_encoded_too(
    tmp_path: Path, shots: list[list[Image]], crf: int | None
) -> None:
    images = [image for shot in shots for image in shot]
    if crf is not None:
        path = tmp_path / "shots.mp4"
        write_clip(path, count=20, size=SIZE, options={"crf": str(crf)}, draw=lambda index: images[index])
        with closing(VideoSource(str(path))) as source:
            images = [frame.image for frame in source]
    assert cuts(images) == [4, 8, 12, 16]


def test_a_cut_begins_a_segment_and_makes_no_pair(shots: list[list[Image]]) -> None:
    health = Health()
    pairs = list(frame_pairs(stream([*shots[0], *shots[1]]), health=health))
    assert [pair.starts_segment for pair in pairs] == ["start", None, None, "cut", None, None]
    assert [pair.newest.index for pair in pairs] == [1, 2, 3, 5, 6, 7]
    assert health.cuts == 1


def panorama() -> Image:
    """Texture of every size, 900 x 208."""
    rng = np.random.default_rng(5)
    layers = [
        cv2.resize(rng.uniform(0, 255, (208 // size + 1, 900 // size + 1)).astype(np.float32), (900, 208))
        for size in (64, 32, 16, 8)
    ]
    return np.repeat(np.mean(layers, axis=0).astype(np.uint8)[..., None], 3, axis=2)


@pytest.mark.parametrize("step", [0, 3, 10, 20])
def test_a_fast_pan_is_no_cut_nor_is_its_sudden_start(step: int) -> None:
    wide = panorama()
    rest = [wide[:, :320]] * 3
    assert cuts([*rest, *(wide[:, x : x + 320] for x in range(0, 12 * step + 1, max(step, 1)))]) == []


@pytest.mark.parametrize("gain", [0.5, 0.75, 1.3, 1.6])
def test_an_exposure_that_jumps_is_no_cut(gain: float) -> None:
    street = rendered("forward", 8)
    images = [cv2.convertScaleAbs(image, alpha=gain) if k >= 4 else image for k, image in enumerate(street)]
    assert cuts(images) == []


def test_pictures_without_texture_are_told_by_their_brightness() -> None:
    grey = [np.full((160, 90, 3), level, np.uint8) for level in (10, 10, 12, 200, 200)]
    assert cuts(grey) == [3]


def test_another_size_is_compared_with_nothing(shots: list[list[Image]]) -> None:
    detect = CutDetector()
    first, second = stream([shots[0][0], shots[1][0][:100]])
    assert not detect(first)
    assert not detect(second)
