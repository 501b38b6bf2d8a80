"""Several files as one video."""

from __future__ import annotations

from contextlib import closing
from fractions import Fraction
from pathlib import Path

import pytest

from sources import grouped, open_source
from sources.reading.playlist import chapters
from streamflow.errors import SourceError
from tests.support.clips import cut, numbers, picture, times, write_clip


def part(path: Path, first: int, size: tuple[int, int] = (96, 64)) -> str:
    """Ten pictures that carry their numbers from `first` on."""
    return str(write_clip(path, count=10, size=size, draw=lambda i: picture(first + i, size)))


def test_chapters_of_a_gopro_are_one_time_line(tmp_path):
    names = ["GX010042.MP4", "GX020042.MP4", "GX030042.MP4"]
    for i, name in enumerate(names):
        part(tmp_path / name, 10 * i)
    part(tmp_path / "GX010043.MP4", 99)
    (spec,) = grouped([str(tmp_path / names[0])], join=True)
    with closing(open_source(spec)) as source:
        frames = list(source)
    assert numbers(frames) == list(range(30))
    assert [frame.index for frame in frames] == list(range(30))
    assert times(frames) == [Fraction(i, 25) for i in range(30)]
    assert not any(frame.gap for frame in frames)
    assert source.info.files == tuple(str(tmp_path / name) for name in names)
    assert source.info.stem == "GX010042"
    assert source.health.whole


@pytest.mark.parametrize(
    ("given", "order"),
    [
        (["GX020001.MP4", "GX010001.MP4"], ["GX010001.MP4", "GX020001.MP4"]),
        (["GP010001.MP4", "GOPR0001.MP4"], ["GOPR0001.MP4", "GP010001.MP4"]),
        (["b.mp4", "a.mp4"], ["b.mp4", "a.mp4"]),
        (["GX010002.MP4", "GX010001.MP4"], ["GX010002.MP4", "GX010001.MP4"]),
    ],
)
def test_order_of_the_parts(given, order):
    assert chapters(given) == order


@pytest.mark.parametrize(
    ("first", "second", "gap"),
    [
        ("DJI_0007.MP4", "DJI_0008.MP4", None),
        ("DJI_20240102030405_0007_D.MP4", "DJI_20240102030905_0008_D.MP4", None),
        ("DJI_0007.MP4", "DJI_0010.MP4", "another file: DJI_0010.MP4"),
        ("a.mp4", "b.mp4", "another file: b.mp4"),
    ],
)
def test_files_that_do_not_belong_together_are_a_gap(tmp_path, first, second, gap):
    specs = (part(tmp_path / first, 0), part(tmp_path / second, 10))
    with closing(open_source(specs)) as source:
        frames = list(source)
    assert numbers(frames) == list(range(20))
    assert [frame.gap for frame in frames if frame.index == 10] == [gap]


def test_a_list_for_concat(tmp_path):
    part(tmp_path / "it's one.mp4", 0)
    part(tmp_path / "two.mp4", 10)
    text = "ffconcat version 1.0\n# parts\nfile 'it'\\''s one.mp4'\nduration 0.4\nfile two.mp4\n"
    (tmp_path / "list.txt").write_text(text + "inpoint 0.08\noutpoint 0.2\nfile 'two.mp4'\n")
    with closing(open_source(str(tmp_path / "list.txt"))) as source:
        frames = list(source)
    assert numbers(frames) == [*range(10), 12, 13, 14, *range(10, 20)]
    assert times(frames) == [Fraction(i, 25) for i in range(23)]
    assert source.health.whole


def test_damage_is_counted_in_every_part(tmp_path):
    specs = [part(tmp_path / f"{name}.ts", 0) for name in "abc"]
    for spec in specs[:2]:
        cut(Path(spec), 0.7)
    with closing(open_source(tuple(specs))) as source:
        list(source)
    with closing(open_source(specs[0])) as alone:
        list(alone)
    assert source.health.damaged == 2 * alone.health.damaged > 0


@pytest.mark.parametrize("text", ["file 'absent.mp4'\n", "file 'x\n", "file\n", "ffconcat version 1.0\n"])
def test_a_list_that_cannot_be_read_is_one_line(tmp_path, text):
    (tmp_path / "list.txt").write_text(text)
    with pytest.raises(SourceError) as caught:
        open_source(str(tmp_path / "list.txt"))
    assert "\n" not in str(caught.value)
    assert str(tmp_path) in str(caught.value)
