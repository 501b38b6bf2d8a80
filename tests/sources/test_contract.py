"""What every source in the registry must do."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import fields
from fractions import Fraction
from inspect import signature
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from sources import SOURCES, Source, open_source
from sources.options import OF_ANY_SOURCE, USERS, SourceOptions
from streamflow.errors import SourceError, UsageError
from streamflow.values import Frame, Health, SourceInfo
from tests.support.bags import BagWriter
from tests.support.clips import picture, times, write_clip
from tests.support.http_camera import HttpCamera

COUNT = 12


@contextmanager
def images(folder: Path) -> Iterator[str]:
    for i in range(COUNT):
        cv2.imwrite(str(folder / f"{i}.png"), picture(i))
    yield str(folder)


@contextmanager
def video(folder: Path) -> Iterator[str]:
    yield str(write_clip(folder / "clip.mp4", count=COUNT))


@contextmanager
def joined(folder: Path) -> Iterator[str]:
    for i in range(2):
        write_clip(folder / f"DJI_000{i}.mp4", count=COUNT // 2)
    (folder / "list.txt").write_text("file 'DJI_0000.mp4'\nfile 'DJI_0001.mp4'\n")
    yield str(folder / "list.txt")


@contextmanager
def bag(folder: Path) -> Iterator[str]:
    with BagWriter(folder / "drive") as writer:
        for i in range(COUNT):
            writer.image("/camera/image_raw", i, picture(i))
    yield str(folder / "drive")


@contextmanager
def network(folder: Path) -> Iterator[str]:
    camera = HttpCamera()
    yield camera.url
    camera.close()


@contextmanager
def synthetic(folder: Path) -> Iterator[str]:
    yield f"demo:size=96x64,frames={COUNT}"


@contextmanager
def sequence(folder: Path) -> Iterator[str]:
    (folder / "image").mkdir()
    for i in range(COUNT):
        cv2.imwrite(str(folder / "image" / f"{i:03d}.png"), picture(i))
    np.savetxt(folder / "K.txt", np.diag([80, 80, 1]))
    np.savetxt(folder / "poses_c2w.txt", np.tile(np.eye(3, 4).ravel(), (COUNT, 1)))
    yield str(folder)


SAMPLES: dict[str, Callable[[Path], AbstractContextManager[str]]] = {
    "images": images,
    "video": video,
    "joined": joined,
    "bag": bag,
    "network": network,
    "synthetic": synthetic,
    "sequence": sequence,
}
CLOCKLESS = {"images", "sequence"}  # take their clock from the user
WITHOUT_SAMPLE = {"camera", "stdin"}  # need a device, a pipe: see test_live, test_stdin
ABSENT = {
    "images": "nothing_here_*.png",
    "video": "nothing_here.mp4",
    "bag": "nothing_here.mcap",
    "network": "http://127.0.0.1:1/",
    "camera": "97",
}


@pytest.fixture(params=list(SAMPLES))
def spec(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with SAMPLES[request.param](tmp_path) as spec:
        assert SOURCES.find(spec) is SOURCES.entries[request.param]
        yield spec


def test_every_source_is_tested_here():
    assert set(SAMPLES) | WITHOUT_SAMPLE == set(SOURCES.entries)


def test_frames_are_as_documented(spec):
    with closing(open_source(spec)) as source:
        assert isinstance(source.info, SourceInfo)
        frames = list(islice(source, COUNT))
    assert len(frames) == COUNT
    for frame in frames:
        assert isinstance(frame, Frame)
        assert frame.image.dtype == np.uint8
        assert frame.image.ndim == 3
        assert frame.image.shape[2] == 3
        assert frame.image.flags.c_contiguous
        assert frame.time is None or isinstance(frame.time, Fraction)
        assert frame.gap is None or frame.gap
        assert frame.size == source.info.size


def with_clock(spec: str, **options: Any) -> Source:
    """The source of `spec`, its frames with times."""
    if SOURCES.find(spec) in [SOURCES.entries[name] for name in CLOCKLESS]:
        options["fps"] = Fraction(25)
    return open_source(spec, **options)


def test_indices_increase_and_time_never_goes_back(spec):
    with closing(with_clock(spec)) as source:
        frames = list(islice(source, COUNT))
    indices = [frame.index for frame in frames]
    assert indices[0] == 0
    assert indices == sorted(set(indices))
    assert times(frames) == sorted(times(frames))


def test_every_image_is_an_array_of_its_own(spec):
    with closing(open_source(spec)) as source:
        frames = list(islice(source, 3))
    copies = [frame.image.copy() for frame in frames]
    frames[0].image[:] = 0
    for frame, copy in zip(frames[1:], copies[1:], strict=True):
        np.testing.assert_array_equal(frame.image, copy)


def test_every_frame_drops_none(spec):
    live = SOURCES.find(spec) is SOURCES.entries["network"]
    with closing(open_source(spec, **({"every_frame": True} if live else {}))) as source:
        frames = list(islice(source, COUNT))
        assert source.health.dropped == 0
    assert [frame.index for frame in frames] == list(range(COUNT))


def test_health_of_a_healthy_stream(spec):
    with closing(open_source(spec)) as source:
        assert isinstance(source.health, Health)
        list(islice(source, COUNT))
        assert source.health.decoded >= COUNT
        assert source.health.whole
        assert source.health.gaps == 0


def test_close_before_the_end_and_twice(spec):
    source = open_source(spec)
    next(iter(source))
    source.close()
    source.close()
    assert source.health.whole  # what was not read is not missing


@pytest.mark.parametrize("name", ABSENT)
def test_absent_input_is_one_line_that_names_it(name, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SourceError) as caught:
        open_source(ABSENT[name])
    assert ABSENT[name] in str(caught.value)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ("0", "camera"),
        ("/dev/video2", "camera"),
        ("demo", "synthetic"),
        ("demo:forward", "synthetic"),
        ("rtsp://10.0.0.1/live", "network"),
        ("http://10.0.0.1/a.mjpg", "network"),
        ("frames/*.png", "images"),
        (".", "images"),
        ("clip.mp4", "video"),
        ("-", "stdin"),
        ("demonstration.mp4", "video"),
        ("C:/clip.mp4", "video"),
        ("drive.bag", "bag"),
        ("drive.mcap:/camera/image_raw", "bag"),
    ],
)
def test_spelling_finds_its_source(spec, name):
    assert SOURCES.find(spec) is SOURCES.entries[name]


USELESS = {  # of the samples: those with a clock, those of files, those of 8 bits
    "fps": (Fraction(30), {"video", "joined", "network", "bag"}),
    "every_frame": (True, {"video", "joined", "images", "sequence", "synthetic", "bag"}),
    "levels": ((0.0, 4095.0), set(SAMPLES)),
}


@pytest.mark.parametrize("name", USELESS)
def test_an_option_that_a_source_cannot_use_is_a_usage_error(name, spec):
    value, useless = USELESS[name]
    if SOURCES.find(spec) not in [SOURCES.entries[kind] for kind in useless]:
        open_source(spec, **{name: value}).close()
        return
    with pytest.raises(UsageError, match=name) as caught:
        open_source(spec, **{name: value})
    assert spec in str(caught.value)
    assert "\n" not in str(caught.value)


def test_every_option_is_of_any_source_or_has_users():
    assert {field.name for field in fields(SourceOptions)} == OF_ANY_SOURCE | USERS.keys()
    for name in USERS:
        assert any(name in signature(entry.load()).parameters for entry in SOURCES.entries.values())


def test_part_of_any_source(spec):
    options = {"start": Fraction(1, 25), "every": 2, "frames": 3, "size": (32, None), "rotate": 90}
    with closing(with_clock(spec, **options)) as source:
        frames = list(source)
        assert source.info.size == (32, 48)
        assert source.info.length in (3, None)
    assert [frame.index for frame in frames] == [0, 1, 2]
    assert {frame.size for frame in frames} == {(32, 48)}


def test_registry_loads_no_heavy_library():
    code = "import sys, sources; sys.exit(bool({'av', 'cv2', 'PIL', 'numpy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2]).returncode == 0
