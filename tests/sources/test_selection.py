"""Part of a stream: the frames of the whole that were asked for, no other and none less."""

from __future__ import annotations

from contextlib import closing
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sources import open_source
from streamflow.values import Frame
from tests.support.clips import QUICK_VP9, RATE, numbers, write_clip

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
