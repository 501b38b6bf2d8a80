"""What every source in the registry must do."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from fractions import Fraction
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest

from sources import SOURCES, open_source
from streamflow.errors import SourceError
from streamflow.values import Frame, Health, SourceInfo
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
    "network": network,
    "synthetic": synthetic,
    "sequence": sequence,
}
WITHOUT_SAMPLE = {"camera"}  # needs a device; what it does with one is in test_live_sources
ABSENT = {
    "images": "nothing_here_*.png",
    "video": "nothing_here.mp4",
    "network": "http://127.0.0.1:1/",
    "camera": "97",
}


@pytest.fixture(params=list(SAMPLES))
def spelling(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with SAMPLES[request.param](tmp_path) as spelling:
        assert SOURCES.find(spelling) is SOURCES.entries[request.param]
        yield spelling


def test_every_source_is_tested_here():
    assert set(SAMPLES) | WITHOUT_SAMPLE == set(SOURCES.entries)


def test_frames_are_as_documented(spelling):
    with closing(open_source(spelling, fps=Fraction(25))) as source:
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


def test_indices_increase_and_time_never_goes_back(spelling):
    with closing(open_source(spelling, fps=Fraction(25))) as source:
        frames = list(islice(source, COUNT))
    indices = [frame.index for frame in frames]
    assert indices[0] == 0
    assert indices == sorted(set(indices))
    assert times(frames) == sorted(times(frames))


def test_every_image_is_an_array_of_its_own(spelling):
    with closing(open_source(spelling)) as source:
        frames = list(islice(source, 3))
    copies = [frame.image.copy() for frame in frames]
    frames[0].image[:] = 0
    for frame, copy in zip(frames[1:], copies[1:], strict=True):
        np.testing.assert_array_equal(frame.image, copy)


def test_every_frame_drops_none(spelling):
    with closing(open_source(spelling, every_frame=True)) as source:
        frames = list(islice(source, COUNT))
        assert source.health.dropped == 0
    assert [frame.index for frame in frames] == list(range(COUNT))


def test_health_of_a_healthy_stream(spelling):
    with closing(open_source(spelling)) as source:
        assert isinstance(source.health, Health)
        list(islice(source, COUNT))
        assert source.health.decoded >= COUNT
        assert source.health.whole
        assert source.health.gaps == 0


def test_close_before_the_end_and_twice(spelling):
    source = open_source(spelling)
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
    ("spelling", "name"),
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
        ("demonstration.mp4", "video"),
        ("C:/clip.mp4", "video"),
    ],
)
def test_spelling_finds_its_source(spelling, name):
    assert SOURCES.find(spelling) is SOURCES.entries[name]


def test_registry_loads_no_heavy_library():
    code = "import sys, sources; sys.exit(bool({'av', 'cv2', 'PIL', 'numpy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2]).returncode == 0
