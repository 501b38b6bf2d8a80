"""Pictures shown more than once: no pair, no time lost, and nothing mistaken for them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from sources.synthetic import SyntheticSource
from sources.video import VideoSource
from streamflow.options import Options
from streamflow.pairs import frame_pairs
from streamflow.pipeline import results
from streamflow.stages import Stage
from streamflow.values import Frame, FramePair, Health, Image, Result
from tests.support.clips import RATE, write_clip

SIZE = (320, 208)  # even, for the encoder


@pytest.fixture(scope="module")
def drive() -> list[Image]:
    return [frame.image for frame in SyntheticSource(f"demo:oblique,size={SIZE[0]}x{SIZE[1]},frames=9")]


def stream(images: Sequence[Image], rate: int = RATE) -> list[Frame]:
    return [Frame(index, image, Fraction(index, rate)) for index, image in enumerate(images)]


def places(pairs: Sequence[FramePair]) -> list[tuple[int, int]]:
    return [(pair.newest.index, min(pair.reference.index, pair.target.index)) for pair in pairs]


def encoded(path: Path, images: Sequence[Image], crf: int) -> list[Frame]:
    options = {"crf": str(crf), "preset": "veryfast"}
    write_clip(path, count=len(images), size=SIZE, options=options, draw=lambda index: images[index])
    with closing(VideoSource(str(path))) as source:
        return list(source)


def test_a_repeated_picture_is_no_pair_and_time_runs_on_to_the_next_new_one(drive: list[Image]) -> None:
    times = [0, 1, 1, 2, 2, 2, 3]  # the picture that each frame shows
    health = Health()
    pairs = list(frame_pairs(stream([drive[k] for k in times]), health=health))
    repeats = [pair.repeat.index for pair in pairs if pair.repeat]
    new = [pair for pair in pairs if not pair.repeat]
    assert repeats == [2, 4, 5]
    assert health.repeats == 3
    assert places(new) == [(1, 0), (3, 1), (6, 3)]
    assert [pair.interval for pair in new] == [Fraction(k, RATE) for k in (1, 2, 3)]


@pytest.mark.parametrize("crf", [18, 28, 33])
def test_frames_doubled_before_encoding_are_told_from_new_ones(
    tmp_path: Path, drive: list[Image], crf: int
) -> None:
    frames = encoded(tmp_path / "doubled.mp4", [image for image in drive for _ in "ab"], crf)
    pairs = list(frame_pairs(frames))
    assert [pair.repeat.index for pair in pairs if pair.repeat] == list(range(3, 18, 2))
    plain = encoded(tmp_path / "plain.mp4", drive, crf)
    assert not any(pair.repeat for pair in frame_pairs(plain))


def test_a_stream_that_begins_at_rest_says_so_at_once(drive: list[Image]) -> None:
    pairs = list(frame_pairs(stream([drive[0], drive[0], drive[0], drive[1]])))
    assert [(pair.repeat is not None, *place) for pair, place in zip(pairs, places(pairs), strict=True)] == [
        (False, 1, 0), (True, 1, 0), (False, 3, 0),
    ]  # fmt: skip


def test_a_sensor_never_repeats_a_picture(drive: list[Image]) -> None:
    rng = np.random.default_rng(0)
    noisy = [
        np.clip(drive[k] + rng.normal(0, 2, drive[k].shape), 0, 255).astype(np.uint8) for k in (0, 1, 1, 1)
    ]
    assert not any(pair.repeat for pair in frame_pairs(stream(noisy)))


@pytest.mark.parametrize("clock", [True, False])
def test_a_picture_that_stays_is_a_scene_at_rest_after_half_a_second(drive: list[Image], clock: bool) -> None:
    frames = stream([drive[0], drive[1], *[drive[2]] * 14])
    if not clock:
        frames = [Frame(frame.index, frame.image) for frame in frames]
    pairs = list(frame_pairs(frames))
    assert [pair.repeat.index for pair in pairs if pair.repeat] == list(range(3, 15))
    assert places([pair for pair in pairs if not pair.repeat])[2:] == [(15, 2)]


def test_nothing_repeats_a_picture_from_before_a_gap(drive: list[Image]) -> None:
    frames = stream([drive[0], drive[1], drive[1], drive[2]])
    frames[2] = Frame(2, drive[1], frames[2].time, gap="reconnected")
    assert [pair.repeat for pair in frame_pairs(frames)] == [None, None]


def found(frames: list[Frame]) -> list[Result]:
    return list(results(frames, frozenset({Stage.FLOW, Stage.MOTION, Stage.DEPTH}), Options(speed=10.0)))


def test_contact_time_and_metres_are_those_of_the_video_without_repeats(drive: list[Image]) -> None:
    plain = found(stream(drive[:5], rate=15))
    doubled = found(stream([image for image in drive[:5] for _ in "ab"], rate=30))
    new = [result for result in doubled if result.pair.repeat is None and result.pair.newest.index > 1]
    assert len(new) == len(plain) == 4
    for one, other in zip(new, plain, strict=True):
        # The random choices of a pair follow its index: at the edge of a gate a few pixels may differ.
        both = np.isfinite(one.depth.inverse) & np.isfinite(other.depth.inverse)
        assert both.sum() > 0.98 * np.isfinite(other.depth.inverse).sum()
        for name in ("inverse", "time_to_contact"):
            ratio = getattr(one.depth, name)[both] / getattr(other.depth, name)[both]
            assert np.percentile(np.abs(ratio - 1), 99.9) < 1e-3
        assert one.depth.unit == "m"


def test_a_repeat_holds_the_last_result(drive: list[Image]) -> None:
    *_, last, held = found(stream([drive[0], drive[1], drive[1]]))
    assert held.pair.repeat.index == 2
    assert held.depth is last.depth
    assert held.segment == last.segment
    assert held.starts_segment is None
