from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from sources.video import VideoSource
from streamflow.errors import UsageError
from streamflow.values import Health, Image
from tests.support.clips import (
    QUICK_VP9,
    QUIET_265,
    RATE,
    number,
    numbers,
    picture,
    read,
    ticks,
    trimmed,
    write_clip,
)

HEALTHY = {
    "h264.mp4": ("libx264", {}),
    "h264.mkv": ("libx264", {}),
    "h264.ts": ("libx264", {}),
    "h264.flv": ("libx264", {}),
    "h264_b_frames.avi": ("libx264", {"options": {"bf": "3"}}),
    "fragmented.mp4": ("libx264", {"container_options": {"movflags": "frag_keyframe+empty_moov"}}),
    "ten_bit.mp4": ("libx264", {"pix_fmt": "yuv420p10le"}),
    "444_odd_size.mp4": ("libx264", {"pix_fmt": "yuv444p", "size": (97, 61)}),
    "hevc.mp4": ("libx265", {"options": QUIET_265}),
    "hevc.ts": ("libx265", {"options": QUIET_265}),
    "av1.mp4": ("libsvtav1", {}),
    "vp8.webm": ("libvpx", {"options": {"auto-alt-ref": "1", "lag-in-frames": "16", "b": "400k"}}),
    "vp9_odd_size.webm": ("libvpx-vp9", {"size": (97, 61), "options": QUICK_VP9}),
    "mjpeg.avi": ("mjpeg", {"pix_fmt": "yuvj420p"}),
    "mpeg4_b_frames.avi": ("mpeg4", {"options": {"bf": "2"}}),
    "mpeg2.ts": ("mpeg2video", {}),
    "prores.mov": ("prores_ks", {"pix_fmt": "yuv422p10le"}),
    "ffv1.mkv": ("ffv1", {}),
    "animation.gif": ("gif", {"pix_fmt": "rgb8"}),
}


@pytest.mark.parametrize("name", HEALTHY)
def test_healthy_file_gives_every_frame_at_its_time(tmp_path, name):
    codec, how = HEALTHY[name]
    frames, health = read(write_clip(tmp_path / name, codec, **how))
    assert numbers(frames) == list(range(30))
    assert [frame.index for frame in frames] == list(range(30))
    assert ticks(frames) == list(range(30))
    assert [frame.gap for frame in frames] == [None] * 30
    assert health == Health(decoded=30)


@pytest.mark.parametrize("name", ["full.h264", "full.mjpeg"])
def test_raw_stream_has_no_clock_but_takes_one(tmp_path, name):
    codec = "libx264" if name.endswith("h264") else "mjpeg"
    path = write_clip(tmp_path / name, codec, pix_fmt="yuvj420p")
    assert {frame.time for frame in read(path)[0]} == {None}
    frames, health = read(path, fps=Fraction(30000, 1001))
    assert [frame.time for frame in frames] == [Fraction(1001 * i, 30000) for i in range(30)]
    assert numbers(frames) == list(range(30))
    assert health.whole


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_variable_rate_times_are_exact(tmp_path, suffix):
    times = [0, 1, 2, 7, 8, 20, 21, 50, 51, 52]
    frames, health = read(write_clip(tmp_path / f"vfr.{suffix}", count=10, ticks=times))
    assert ticks(frames) == times
    assert health == Health(decoded=10)


def test_length_and_rate_are_told_beforehand(tmp_path):
    source = VideoSource(str(write_clip(tmp_path / "walk.mp4")))
    assert source.info.stem == "walk"
    assert source.info.length == 30
    assert source.info.rate == 25
    assert source.info.size == (96, 64)
    assert not source.info.live
    source.close()


def test_unknown_length_is_none(tmp_path):
    path = write_clip(tmp_path / "live.webm", "libvpx-vp9", container_options={"live": "1"})
    source = VideoSource(str(path))
    assert source.info.length is None
    assert len(list(source)) == 30
    assert source.health == Health(decoded=30)
    source.close()


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuvj420p", "yuv420p10le"])
def test_black_grey_and_white_survive_every_range(tmp_path, pix_fmt):
    """Limited range must not come out grey, nor full range clipped."""
    steps = np.repeat(np.array([0, 64, 128, 192, 255], np.uint8), 20)
    image = np.broadcast_to(steps[None, :, None], (64, 100, 3))
    path = write_clip(
        tmp_path / "range.mp4",
        count=3,
        size=(100, 64),
        pix_fmt=pix_fmt,
        options={"crf": "5"},
        draw=lambda i: image,
    )
    for frame in read(path)[0]:
        np.testing.assert_allclose(frame.image[32, 10::20].mean(axis=1), [0, 64, 128, 192, 255], atol=4)


def test_colours_that_cannot_be_converted_still_give_a_picture(tmp_path):
    """ICtCp, which some HDR video has and swscale refuses: read as Y'CbCr it is good enough for flow."""
    path = write_clip(tmp_path / "hdr.mp4", options={"x264-params": "colormatrix=ICtCp"})
    frames, health = read(path)
    assert numbers(frames) == list(range(30))
    assert health == Health(decoded=30)


@pytest.mark.parametrize(
    ("degrees", "flip", "undo"),
    [
        (90, False, lambda im: np.rot90(im, -1)),
        (180, False, lambda im: np.rot90(im, 2)),
        (270, False, lambda im: np.rot90(im, 1)),
        (0, True, lambda im: im[:, ::-1]),
    ],
)
def test_rotation_tag_is_applied(tmp_path, degrees, flip, undo):
    """Pictures are stored turned the other way round, so that the tag sets them upright."""
    stored = undo(picture(0, (96, 64)))
    path = write_clip(
        tmp_path / "phone.mp4",
        size=(stored.shape[1], stored.shape[0]),
        draw=lambda i: undo(picture(i, (96, 64))),
        prepare=lambda stream: stream.set_display_rotation(degrees, hflip=flip),
    )
    source = VideoSource(str(path))
    assert source.info.size == (96, 64)
    assert numbers(source) == list(range(30))
    source.close()


@pytest.mark.parametrize(("aspect", "size"), [("4/3", (128, 64)), ("8/9", (96, 72)), ("1/60", (96, 64))])
def test_pixels_come_out_square(tmp_path, aspect, size):
    def wide_pixels(stream):
        stream.codec_context.sample_aspect_ratio = Fraction(aspect)

    frames, _ = read(write_clip(tmp_path / "dv.mkv", prepare=wide_pixels))
    assert {frame.size for frame in frames} == {size}
    assert numbers(frames) == list(range(30))


def combing(image: Image) -> float:
    """How much each row differs from the mean of its neighbours: large where two fields are woven."""
    grey = image.astype(float).mean(axis=2)[24:]  # below the number
    return float(np.abs(grey[1:-1] - (grey[:-2] + grey[2:]) / 2).mean())


@pytest.mark.parametrize("codec", ["libx264", "mpeg2video"])
def test_interlaced_video_is_deinterlaced(tmp_path, codec):
    def moving(i: int, x0: float = 0.0) -> Image:
        _y, x = np.mgrid[:64, :96]
        bars = 128 + 90 * np.sin((x - 3 * i - x0) / 3)
        image = np.repeat(bars[..., None], 3, axis=2).astype(np.uint8)
        image[:16] = picture(i)[:16]
        return image

    def woven(i: int) -> Image:
        image = moving(i)
        image[1::2] = moving(i, x0=3.0)[1::2]
        image[:16] = picture(i)[:16]
        return image

    options = {"flags": "+ilme+ildct", "b": "4M"} | ({"x264-params": "tff=1"} if codec == "libx264" else {})
    frames, health = read(write_clip(tmp_path / "camcorder.mkv", codec, draw=woven, options=options))
    assert numbers(frames) == list(range(30))
    assert ticks(frames) == list(range(30))
    assert health == Health(decoded=30)
    for frame in frames:
        assert combing(frame.image) < combing(woven(frame.index)) / 4
        ratio = frame.image[24:].std() / moving(frame.index)[24:].std()
        assert abs(ratio - 1) < 0.08  # neither black nor of another range, which would be 1.16


def test_edit_list_leaves_out_what_it_cuts(tmp_path):
    """What is cut is neither shown nor missed."""
    frames, health = read(trimmed(tmp_path / "trimmed.mp4"))
    assert numbers(frames) == list(range(10, 20))
    assert ticks(frames) == list(range(10))
    assert health == Health(decoded=10)


def test_sound_that_begins_later_does_not_disturb(tmp_path):
    """A transport stream may announce a new stream on the way, here far from what is read at opening."""
    silent = write_clip(tmp_path / "a.ts", "mpeg2video", count=250)
    with av.open(str(tmp_path / "b.ts"), "w") as container:
        video = container.add_stream("mpeg2video", rate=RATE)
        video.width, video.height, video.pix_fmt = 96, 64, "yuv420p"
        sound = container.add_stream("mp2", rate=44100)
        for i in range(30):
            frame = av.VideoFrame.from_ndarray(picture(i), "bgr24").reformat(format="yuv420p")
            frame.pts, frame.time_base = i + 250, Fraction(1, RATE)
            container.mux(video.encode(frame))
            noise = av.AudioFrame.from_ndarray(np.zeros((1, 2 * 1764), np.int16), "s16", "stereo")
            noise.sample_rate, noise.pts = 44100, (i + 250) * 1764
            container.mux(sound.encode(noise))
        container.mux([*video.encode(None), *sound.encode(None)])
    joined = tmp_path / "joined.ts"
    stuffing = (b"\x47\x1f\xff\x10" + b"\xff" * 184) * 32000
    silent_again = write_clip(tmp_path / "c.ts", "mpeg2video", ticks=range(280, 310))
    parts = [silent.read_bytes(), (tmp_path / "b.ts").read_bytes(), silent_again.read_bytes()]
    joined.write_bytes(stuffing.join(parts))
    frames, _ = read(joined)
    assert numbers(frames) == [*range(250), *range(30), *range(30)]


def test_size_change_starts_a_new_segment(tmp_path):
    path = tmp_path / "switched.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuvj420p"
        for i in range(20):
            size = (96, 64) if i < 12 else (64, 48)
            encoder = av.CodecContext.create("mjpeg", "w")
            encoder.width, encoder.height, encoder.pix_fmt = *size, "yuvj420p"
            encoder.time_base = Fraction(1, RATE)
            frame = av.VideoFrame.from_ndarray(picture(i, size), "bgr24").reformat(format="yuvj420p")
            frame.pts, frame.time_base = i, Fraction(1, RATE)
            for packet in [*encoder.encode(frame), *encoder.encode(None)]:
                packet.stream = stream
                container.mux(packet)
    frames, health = read(path)
    assert numbers(frames) == list(range(20))
    assert {frame.index: frame.gap for frame in frames if frame.gap} == {
        12: "size changes from 96x64 to 64x48"
    }
    assert [frame.size for frame in frames] == [(96, 64)] * 12 + [(64, 48)] * 8
    assert health.gaps == 1
    assert health.whole


def test_joined_recordings_never_let_time_go_back(tmp_path):
    first = write_clip(tmp_path / "a.ts", "mpeg2video")
    second = write_clip(tmp_path / "b.ts", "mpeg2video")
    joined = tmp_path / "joined.ts"
    joined.write_bytes(first.read_bytes() + second.read_bytes())
    frames, health = read(joined)
    assert numbers(frames) == [*range(30), *range(30)]
    assert ticks(frames) == list(range(60))
    assert {frame.index: frame.gap for frame in frames if frame.gap} == {30: "the stream's clock goes back"}
    assert health.missing == 0


def test_names_of_any_script_and_with_colons(tmp_path):
    path = tmp_path / "прогулка 散歩: 1.mp4"
    write_clip(tmp_path / "plain.mp4", count=3).rename(path)
    assert numbers(read(path)[0]) == [0, 1, 2]


def test_close_ends_the_iteration(tmp_path):
    source = VideoSource(str(write_clip(tmp_path / "clip.mp4")))
    assert number(next(iter(source)).image) == 0
    source.close()
    source.close()
    assert list(source) == []


def test_leap_out_of_a_steady_rate_is_a_gap(tmp_path):
    """A piece cut out of a recording leaves no other sign."""
    frames, health = read(write_clip(tmp_path / "cut_out.mp4", count=30, ticks=[*range(15), *range(50, 65)]))
    assert {frame.index: frame.gap for frame in frames if frame.gap} == {
        15: "the stream's clock leaps by 1.44 s"
    }
    assert health.whole
    assert health.gaps == 1


def write_deep(path: Path, pix_fmt: str, values: Callable[[int], np.ndarray], count: int = 20) -> Path:
    """FFV1, which keeps every bit."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = 96, 64, pix_fmt
        for i in range(count):
            frame = av.VideoFrame.from_ndarray(values(i), pix_fmt)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(("pix_fmt", "top"), [("gray10le", 1023), ("gray12le", 4095), ("gray16le", 65535)])
def test_deep_grey_video_shows_every_grey_of_the_scene(tmp_path, pix_fmt, top):
    """A sixteenth of the range, as a thermal camera gives it, far from zero."""
    path = write_deep(
        tmp_path / "thermal.mkv",
        pix_fmt,
        lambda i: (top // 2 + picture(i)[..., 1].astype(float) * top / 16 / 255).astype(np.uint16),
    )
    frames, health = read(path)
    assert numbers(frames) == list(range(20))
    assert np.ptp(np.stack([frame.image for frame in frames])) > 200
    assert health.notes[0].startswith(f"{pix_fmt} video, ")
    assert health.whole


def test_levels_of_deep_video_are_the_users_if_given(tmp_path):
    path = write_deep(tmp_path / "a.mkv", "gray16le", lambda i: picture(i)[..., 1].astype(np.uint16) * 256)
    source = VideoSource(str(path), levels=(0, 255 * 256))
    for i, frame in enumerate(source):
        np.testing.assert_array_equal(frame.image[..., 0], picture(i)[..., 1])
    source.close()


def test_ordinary_ten_bit_video_needs_no_levels(tmp_path):
    path = write_clip(tmp_path / "ten.mp4", pix_fmt="yuv420p10le")
    assert read(path)[1].notes == []
    with pytest.raises(UsageError, match="leave out levels"):
        VideoSource(str(path), levels=(0, 1023))
