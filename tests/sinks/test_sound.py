"""--audio: the sound of the file, packet for packet, at its own time."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from sinks import open_sink
from sinks.writing.sound import codec_of_sound
from stream import main
from streamflow.errors import SinkError, UsageError
from tests.support.made_results import make_results, make_run, write_all

ROOT = Path(__file__).parents[2]
RATE = 25
SECONDS = 2


def clip(path: str, codec: str | None, sound_seconds: float = SECONDS) -> str:
    """Two seconds of moving waves, and of noise to hear."""
    with av.open(path, "w") as container:
        video = container.add_stream("libx264", rate=RATE)
        video.width, video.height, video.pix_fmt = 96, 64, "yuv420p"
        if codec is not None:
            add_noise(container, codec, sound_seconds)
        y, x = np.mgrid[:64, :96]
        for number in range(SECONDS * RATE):
            wave = (127 + 100 * np.sin((x + number) / 5) * np.cos(y / 4)).astype(np.uint8)
            container.mux(video.encode(av.VideoFrame.from_ndarray(wave, "gray").reformat(format="yuv420p")))
        container.mux(video.encode(None))
    return path


def add_noise(container, codec: str, seconds: float) -> None:
    sound = container.add_stream(codec, rate=48000)
    sound.layout = "stereo"
    noise = np.random.default_rng(3).normal(0, 0.1, (2, int(seconds * 48000))).astype(np.float32)
    frame = av.AudioFrame.from_ndarray(noise, format="fltp", layout="stereo")
    frame.rate, frame.pts, frame.time_base = 48000, 0, Fraction(1, 48000)
    size = sound.codec_context.frame_size or 1024
    cutter = av.AudioResampler(sound.format.name, "stereo", 48000, frame_size=size)
    for piece in (*cutter.resample(frame), *cutter.resample(None), None):
        container.mux(sound.encode(piece))


def packets(path: str) -> list[tuple[float, bytes]]:
    with av.open(path) as container:
        found = [packet for packet in container.demux(audio=0) if packet.size]
        return [(float(packet.pts * packet.time_base), bytes(packet)) for packet in found]


def picture_times(path: str) -> list[float]:
    with av.open(path) as container:
        return [float(frame.pts * frame.time_base) for frame in container.decode(video=0)]


def stream(*arguments: str, code: int = 0) -> str:
    command = [sys.executable, str(ROOT / "stream.py"), *arguments, "--plot_flow", "--audio", "-q"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240)
    assert done.returncode == code, done.stderr
    return done.stderr


@pytest.mark.parametrize(
    ("name", "codec", "target"),
    [
        ("in.mp4", "aac", "out.mp4"),
        ("in.mp4", "aac", "out.mkv"),
        ("in.mkv", "libopus", "out.webm"),
        ("in.mov", "pcm_s16le", "out.mp4"),
    ],
)
def test_the_sound_is_copied_packet_for_packet_at_its_time(name, codec, target):
    clip(name, codec)
    stream(name, "-o", target)
    before, after = packets(name), packets(target)
    assert [data for _, data in after] == [data for _, data in before]
    tick = 1e-9 if target == "out.mp4" else 1e-3
    assert [time for time, _ in after] == pytest.approx([time for time, _ in before], abs=tick)
    assert picture_times(target) == pytest.approx(picture_times(name)[1:], abs=tick)


def test_the_sound_of_a_transport_stream_keeps_its_place_in_an_mp4():
    clip("in.ts", "aac")
    stream("in.ts", "-o", "out.mp4")
    before, after = packets("in.ts"), packets("out.mp4")
    headers = 7  # bytes of ADTS in front of every packet of a transport stream
    assert [data for _, data in after] == [data[headers:] for _, data in before]
    apart = before[0][0] - picture_times("in.ts")[1]
    assert after[0][0] - picture_times("out.mp4")[0] == pytest.approx(apart, abs=1e-4)


@pytest.mark.parametrize("seconds", [0.5, 5.0], ids=["sound ends early", "sound goes on"])
def test_the_sound_goes_as_far_as_the_pictures(seconds):
    clip("in.mp4", "aac", seconds)
    stream("in.mp4", "-o", "out.mp4")
    before, after = packets("in.mp4"), packets("out.mp4")
    assert [data for _, data in after] == [data for _, data in before][: len(after)]
    assert after[-1][0] == pytest.approx(min(seconds, SECONDS), abs=2 * 1024 / 48000)
    assert len(picture_times("out.mp4")) == SECONDS * RATE - 1


def test_a_run_that_is_killed_leaves_pictures_and_sound():
    clip("in.mp4", "aac")
    times = [Fraction(number, RATE) for number in range(SECONDS * RATE)]
    sink = open_sink("out.mp4", replace(make_run(), audio="in.mp4"))
    for result in make_results(times):
        sink.write(result)  # and nobody closes it
    assert picture_times("out.part.mp4")[-1] > SECONDS - 1 / 3
    assert packets("out.part.mp4")[-1][0] > SECONDS - 1 / 3
    sink.close()


def test_sound_that_does_not_fit_is_one_error_and_leaves_nothing(current_folder):
    clip("in.mp4", "aac")
    with pytest.raises(SinkError, match=r"sound in the format aac does not fit in here; write \.mkv"):
        write_all(open_sink("out.webm", replace(make_run(), audio="in.mp4")), make_results())
    assert [path.name for path in current_folder.iterdir()] == ["in.mp4"]


def test_sound_is_kept_where_nobody_asked_if_it_fits(capsys):
    clip("in.mp4", "aac")
    assert main(["in.mp4", "--plot_flow", "-q", "-o", "new/out.mov", "-o", "png:frames"]) == 0
    assert [data for _, data in packets("new/out.mov")] == [data for _, data in packets("in.mp4")]
    with av.open("new/out.mov") as container:
        assert container.format.name.startswith("mov")
        assert container.streams.video[0].codec_context.name == "h264"
    assert main(["in.mp4", "--plot_flow", "-q", "--no-audio", "-o", "silent.mp4"]) == 0
    assert codec_of_sound("silent.mp4") is None
    capsys.readouterr()
    assert main(["in.mp4", "--plot_flow", "-q", "-o", "out.webm"]) == 0
    assert codec_of_sound("out.webm") is None
    assert "out.webm: without sound, as aac does not fit; .mkv holds it" in capsys.readouterr().err


def test_a_file_without_sound_is_refused():
    clip("in.mp4", None)
    with pytest.raises(UsageError, match="has no sound; leave out --audio"):
        open_sink("out.mp4", replace(make_run(), audio="in.mp4"))


@pytest.mark.parametrize(
    "arguments", [("demo:still,size=64x48,frames=3", "-o", "out.mp4"), ("in.mp4", "-o", "png:p")]
)
def test_audio_that_makes_no_sense_is_refused(arguments, current_folder):
    clip("in.mp4", "aac")
    assert len(stream(*arguments, code=2).splitlines()) == 1
    assert [path.name for path in current_folder.iterdir()] == ["in.mp4"]
