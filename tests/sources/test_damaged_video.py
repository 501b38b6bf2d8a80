from __future__ import annotations

import itertools
import logging
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from sources.reading.ffmpeg_log import FfmpegLog
from sources.video import VideoSource
from streamflow.errors import SourceError
from tests.support.clips import (
    QUICK_VP9,
    QUIET_265,
    cut,
    flip_bits,
    numbers,
    packet_bytes,
    plain_count,
    read,
    ticks,
    times,
    trimmed,
    write_clip,
    zero_hole,
)


def test_damage_within_an_edit_list_loses_no_more_than_it_hits(tmp_path):
    path = trimmed(tmp_path / "trimmed.mp4")
    start, size = packet_bytes(path)[14]
    _, health = read(zero_hole(path, start, size))
    assert health.missing == 1


def test_damaged_frames_that_came_are_not_missing(tmp_path):
    """Leaps in the time of a variable rate are no losses, even next to a damaged packet."""
    path = write_clip(tmp_path / "vfr.mp4", options={"bf": "0"}, ticks=[t * t for t in range(30)])
    start, size = packet_bytes(path)[9]
    frames, health = read(zero_hole(path, start + size // 2, size // 4))
    assert len(frames) == 30
    assert (health.damaged, health.missing, health.gaps) == (1, 0, 0)


CUT = {
    "faststart.mp4": ("libx264", {"container_options": {"movflags": "faststart"}}),
    "fragmented.mp4": (
        "libx264",
        {"options": {"g": "5"}, "container_options": {"movflags": "frag_keyframe+empty_moov"}},
    ),
    "cut.mkv": ("libx264", {}),
    "cut.ts": ("libx264", {}),
    "cut.avi": ("mpeg4", {}),
    "cut.gif": ("gif", {"pix_fmt": "rgb8"}),
    "cut.webm": ("libvpx-vp9", {"options": QUICK_VP9}),
    "cut_mjpeg.mkv": ("mjpeg", {"pix_fmt": "yuvj420p"}),
}


@pytest.mark.parametrize("share", [0.5, 0.8])
@pytest.mark.parametrize("name", CUT)
def test_cut_file_keeps_what_is_left_and_says_so(tmp_path, name, share):
    codec, how = CUT[name]
    path = cut(write_clip(tmp_path / name, codec, **how), share)
    frames, health = read(path)
    assert len(frames) >= plain_count(path) > 0
    assert numbers(frames)[:-1] == list(range(len(frames) - 1))  # the last may be half a picture
    assert not health.whole
    assert health.notes


def intra_clip(path: Path) -> Path:
    """Every frame by itself, so that damage to one is damage to one."""
    if path.suffix == ".mp4":
        return write_clip(path, options={"g": "1", "bf": "0"})
    return write_clip(path, "mjpeg", pix_fmt="yuvj420p", container_options={"cluster_time_limit": "80"})


@pytest.mark.parametrize("name", ["hole.mp4", "hole.mkv"])
def test_hole_is_marked_and_the_rest_keeps_its_place(tmp_path, name):
    path = intra_clip(tmp_path / name)
    places = packet_bytes(path)
    start, end = places[12][0], places[16][0]
    frames, health = read(zero_hole(path, start, end - start))
    assert numbers(frames) == [frame.index for frame in frames]  # nobody takes a lost frame's place
    assert ticks(frames) == [frame.index for frame in frames]
    lost = set(range(30)) - {frame.index for frame in frames}
    assert {12, 13, 14, 15} <= lost <= {11, 12, 13, 14, 15, 16, 17}
    assert [frame.index for frame in frames if frame.gap] == [max(lost) + 1]
    assert health.missing == len(lost)
    assert health.gaps == 1
    assert health.damaged > 0


def test_hole_in_a_gif_is_not_its_end(tmp_path):
    """FFmpeg takes zeros for the end of the animation, and says nothing."""
    path = write_clip(tmp_path / "hole.gif", "gif", pix_fmt="rgb8")
    _, health = read(zero_hole(path, path.stat().st_size // 2, 5000))
    assert not health.whole


@pytest.mark.parametrize("codec", ["libx265", "mpeg2video"])
def test_transport_stream_that_ends_in_zeros_did_not_end_there(tmp_path, codec):
    path = write_clip(tmp_path / "tail.ts", codec, options=QUIET_265 if codec == "libx265" else {})
    assert read(path)[1].whole
    _, health = read(zero_hole(path, packet_bytes(path)[20][0], 10**6))
    assert not health.whole


def test_lost_tail_is_counted(tmp_path):
    path = intra_clip(tmp_path / "tail.mp4")
    start = packet_bytes(path)[25][0]
    end = sum(packet_bytes(path)[29])
    frames, health = read(zero_hole(path, start, end - start))
    assert numbers(frames) == list(range(25))
    assert health.missing == 5


FLIPPED = {
    "flipped.mp4": ("libx264", {"container_options": {"movflags": "faststart"}}),
    "flipped.mkv": ("libx264", {}),
    "flipped.ts": ("mpeg2video", {}),
    "flipped.avi": ("mpeg4", {}),
    "flipped.webm": ("libvpx-vp9", {"options": QUICK_VP9}),
    "flipped_hevc.mp4": ("libx265", {"options": QUIET_265, "container_options": {"movflags": "faststart"}}),
}


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("name", FLIPPED)
def test_bit_flips_never_end_the_stream_early(tmp_path, name, seed):
    codec, how = FLIPPED[name]
    path = flip_bits(write_clip(tmp_path / name, codec, count=120, **how), 200, seed, start=0.3)
    frames, health = read(path)
    assert len(frames) >= plain_count(path)
    assert not health.whole
    indices = [frame.index for frame in frames]
    assert indices == sorted(set(indices))
    assert times(frames) == sorted(times(frames))
    holes = {after for before, after in itertools.pairwise(indices) if after > before + 1}
    assert holes <= {frame.index for frame in frames if frame.gap}


HARMED = {
    **FLIPPED,
    "harmed_b_frames.avi": ("mpeg4", {"options": {"bf": "2"}}),
    "harmed.mov": ("prores_ks", {"pix_fmt": "yuv422p10le"}),
    "harmed_mjpeg.mkv": ("mjpeg", {"pix_fmt": "yuvj420p"}),
}
UNHEARD = ("flipped.webm", "flipped_hevc.mp4")  # whose decoders find nothing wrong with most of it


@pytest.mark.parametrize("name", HARMED)
def test_marks_end_where_pictures_are_whole_again(tmp_path, name):
    """Not with the one damaged frame: others are predicted from it, up to a key frame."""
    codec, how = HARMED[name]
    path = write_clip(tmp_path / name, codec, count=120, **how)
    data, whole = path.read_bytes(), [frame.image.astype(int) for frame in read(path)[0]]
    marked, ends = 0, []
    for seed in range(4):
        path.write_bytes(data)
        frames, _ = read(flip_bits(path, 20, seed, start=0.3))
        marked += sum(frame.damaged for frame in frames)
        for before, frame in itertools.pairwise(frames):
            if before.damaged and not frame.damaged:
                near = whole[max(0, frame.index - 9) : frame.index + 9]
                ends.append(any(np.abs(frame.image - image).max() < 5 for image in near))
    assert marked > 4 or name in UNHEARD
    assert ends.count(False) <= len(ends) / 5  # what is damaged next may be damaged unheard


@pytest.mark.parametrize("name", ["healed.avi", "healed.mov", "healed.mkv"])
def test_damage_reaches_to_the_next_key_frame_and_no_farther(tmp_path, name):
    codec = {".avi": "mpeg4", ".mov": "prores_ks", ".mkv": "mpeg2video"}[name[-4:]]
    pix_fmt = "yuv422p10le" if codec == "prores_ks" else "yuv420p"
    path = write_clip(tmp_path / name, codec, pix_fmt=pix_fmt, options={"g": "10", "sc_threshold": "1000000"})
    with av.open(str(path)) as container:
        keys = [index for index, frame in enumerate(container.decode(video=0)) if frame.key_frame]
    start, size = packet_bytes(path)[13]
    frames, health = read(zero_hole(path, start + size // 4, size // 2))
    end = next(key for key in keys if key > 13)
    assert [frame.index for frame in frames if frame.damaged] == list(range(13, end))
    assert health.damaged == 1


def no_video(path: Path) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def encrypted(path: Path) -> Path:
    keys = {
        "encryption_scheme": "cenc-aes-ctr",
        "encryption_key": "76a6c65c" * 4,
        "encryption_kid": "a7e6" * 8,
    }
    return write_clip(path, container_options=keys)


def containing(data: bytes) -> Callable[[Path], Path]:
    def write(path: Path) -> Path:
        path.write_bytes(data)
        return path

    return write


NOT_VIDEO: dict[str, tuple[Callable[[Path], Path], str]] = {
    "missing": (lambda path: path, "no such file"),
    "zero bytes": (containing(b""), "empty"),
    "text": (containing(b"Dear diary,\n" * 80), "cannot be read as video"),
    "forty bytes": (
        lambda path: containing(write_clip(path).read_bytes()[:40])(path),
        "cannot be read as video",
    ),
    "no moov": (lambda path: cut(write_clip(path), 0.7), "moov atom not found"),
    "audio only": (no_video, "no video, only audio"),
    "encrypted": (encrypted, "encrypted"),
    "nothing but zeros": (lambda path: zero_hole(intra_clip(path), 48, 10**6), "cannot be read as video"),
}


@pytest.mark.parametrize("kind", NOT_VIDEO)
def test_no_video_is_one_line_with_file_and_reason(tmp_path, kind, capfd):
    make, why = NOT_VIDEO[kind]
    path = make(tmp_path / "clip.mp4")
    with pytest.raises(SourceError, match=why) as caught:
        VideoSource(str(path))
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_ffmpeg_is_silent_again_afterwards(tmp_path, capfd):
    read(cut(write_clip(tmp_path / "cut.mkv"), 0.5))
    assert av.logging.get_level() is None
    assert not any(isinstance(handler, FfmpegLog) for handler in logging.getLogger("libav").handlers)
    assert capfd.readouterr() == ("", "")


def test_two_sources_at_once_hear_their_own_damage(tmp_path):
    """Whichever ends first must not deafen the other."""
    broken = flip_bits(
        write_clip(tmp_path / "broken.mkv", "mjpeg", pix_fmt="yuvj420p"), 60, seed=3, start=0.5
    )
    one, two = VideoSource(str(broken)), VideoSource(str(write_clip(tmp_path / "whole.mp4")))
    list(two)
    two.close()
    list(one)
    one.close()
    assert two.health.whole
    assert not one.health.whole
