"""Part of a stream: the frames of the whole that were asked for, no other and none less."""

from __future__ import annotations

from contextlib import closing
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from sources import open_source
from streamflow.errors import SourceError, UsageError
from streamflow.values import Frame
from tests.support.clips import QUICK_VP9, RATE, flip_bits, numbers, picture, trimmed, write_clip

COUNT = 60
CLIPS = {
    "b_frames.mp4": ("libx264", {"options": {"g": "12", "bf": "3"}}),
    "open_groups.mp4": ("libx264", {"options": {"g": "12", "bf": "3", "x264-params": "open-gop=1"}}),
    "fragmented.mp4": (
        "libx264",
        {"options": {"g": "10"}, "container_options": {"movflags": "frag_keyframe"}},
    ),
    "b_frames.mkv": ("libx264", {"options": {"g": "12", "bf": "3"}}),
    "b_frames.ts": ("libx264", {"options": {"g": "12", "bf": "3"}}),
    "open_groups.ts": ("libx265", {"options": {"x265-params": "log-level=none:keyint=12:open-gop=1"}}),
    "one_key_frame.flv": ("libx264", {"options": {"g": "250"}}),
    "groups.webm": ("libvpx-vp9", {"options": {**QUICK_VP9, "g": "9"}}),
    "b_frames.avi": ("mpeg4", {"options": {"bf": "2", "g": "12"}}),
    "pictures.mkv": ("mjpeg", {"pix_fmt": "yuvj420p"}),
    "animation.gif": ("gif", {"pix_fmt": "rgb8"}),
    "groups.mpg": ("mpeg2video", {"options": {"bf": "2", "g": "12"}}),
}


def read(spec: Path, **options: Any) -> list[Frame]:
    with closing(open_source(str(spec), **options)) as source:
        frames = list(source)
        assert source.health.whole, source.health
        assert not source.health.notes
        return frames


@pytest.mark.parametrize("name", CLIPS)
def test_a_part_of_a_video_is_exact_to_the_frame(tmp_path, name):
    codec, how = CLIPS[name]
    path = write_clip(tmp_path / name, codec, count=COUNT, **how)
    whole = read(path)
    assert numbers(whole) == list(range(COUNT))
    for first, after in [(0, 3), (1, 5), (11, 14), (12, 13), (23, 60), (31, 40), (47, 52), (59, 70)]:
        part = read(path, start=Fraction(first, RATE), end=Fraction(after, RATE))
        assert numbers(part) == list(range(first, min(after, COUNT)))
        for frame, same in zip(part, whole[first:], strict=False):
            assert frame.time == same.time
            np.testing.assert_array_equal(frame.image, same.image)
        assert [frame.index for frame in part] == list(range(len(part)))


def folder(path: Path) -> Path:
    path.mkdir()
    for i in range(40):
        cv2.imwrite(str(path / f"{i}.png"), picture(i))
    return path


def test_part_of_a_folder_reads_no_image_before_it(tmp_path):
    images = folder(tmp_path / "images")
    (images / "3.png").write_bytes(b"damaged")
    frames = read(images, fps=10, start=1, end=1.5)
    assert numbers(frames) == [10, 11, 12, 13, 14]
    assert [frame.time for frame in frames] == [Fraction(i, 10) for i in range(10, 15)]


def test_a_folder_without_a_clock_says_what_it_needs(tmp_path):
    with pytest.raises(UsageError, match=r"has no clock .* give fps"):
        read(folder(tmp_path / "images"), start=1)
    assert numbers(read(tmp_path / "images", frames=3, every=4)) == [0, 4, 8]


def test_every_so_many_frames(tmp_path):
    frames = read(write_clip(tmp_path / "a.mp4", count=COUNT), every=7, start=Fraction(3, RATE), frames=5)
    assert numbers(frames) == [3, 10, 17, 24, 31]
    assert [frame.index for frame in frames] == [0, 1, 2, 3, 4]
    assert [frame.time for frame in frames] == [Fraction(n, RATE) for n in (3, 10, 17, 24, 31)]


def test_a_gap_among_frames_that_are_left_out_is_a_gap_before_the_next(tmp_path):
    images = folder(tmp_path / "images")
    for i in (5, 6):
        (images / f"{i}.png").unlink()
    with closing(open_source(str(images), every=4, frames=4)) as source:
        frames = list(source)
    assert numbers(frames) == [0, 4, 8, 12]
    assert [bool(frame.gap) for frame in frames] == [False, False, True, False]


def test_damage_before_the_part_is_of_no_concern(tmp_path):
    path = write_clip(tmp_path / "a.ts", count=COUNT, options={"g": "12", "bf": "0"})
    flip_bits(path, 40, seed=3)
    data = bytearray(path.read_bytes())
    healthy = write_clip(tmp_path / "b.ts", count=COUNT, options={"g": "12", "bf": "0"}).read_bytes()
    data[len(data) // 2 :] = healthy[len(data) // 2 :]
    path.write_bytes(data)
    frames = read(path, start=Fraction(40, RATE))
    assert numbers(frames) == list(range(40, COUNT))


def test_edit_lists_count_from_the_first_frame_that_is_shown(tmp_path):
    path = trimmed(tmp_path / "trimmed.mp4")
    whole = read(path)
    assert numbers(read(path, start=Fraction(4, RATE), frames=3)) == numbers(whole)[4:7]


def test_a_part_after_the_end_is_one_line(tmp_path):
    with pytest.raises(SourceError, match=r"a.mp4: ends before 100 s"):
        read(write_clip(tmp_path / "a.mp4"), start=100)


@pytest.mark.parametrize(
    ("options", "length"),
    [
        ({}, 60),
        ({"start": 1}, 35),
        ({"end": 1}, 25),
        ({"start": 1, "end": 2, "every": 2}, 13),
        ({"frames": 9}, 9),
    ],
)
def test_the_length_is_told_beforehand(tmp_path, options, length):
    path = write_clip(tmp_path / "a.mp4", count=COUNT)
    with closing(open_source(str(path), **options)) as source:
        assert source.info.length == length
        assert len(list(source)) == length
