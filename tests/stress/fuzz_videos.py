"""Damage video files at random and see what the video source makes of them.

    python -m tests.stress.fuzz_videos --count 2000 --seed 1

A finding is a crash, a hang, an exception that is no `SourceError`, an index or a time that goes back, a lost
frame without a gap, or fewer frames than PyAV gives when it decodes packet by packet. Losses that leave no
trace in the file, such as a whole fragment cut from its end, are listed as silent.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from sources.video import VideoSource
from streamflow.errors import SourceError
from streamflow.values import Health
from tests.stress.fuzzing import MUTATIONS, run
from tests.support.clips import plain_count, write_clip

COUNT = 60  # frames a clip
FRAGMENTS = {"movflags": "frag_keyframe+empty_moov"}
CLIPS = {
    "h264.mp4": ("libx264", {"container_options": {"movflags": "faststart"}}),
    "fragmented.mp4": ("libx264", {"options": {"g": "10"}, "container_options": FRAGMENTS}),
    "vp9.webm": ("libvpx-vp9", {"options": {"deadline": "realtime", "cpu-used": "8"}}),
    "h264.mkv": ("libx264", {"options": {"g": "12"}}),
    "mpeg2.ts": ("mpeg2video", {}),
    "hevc.ts": ("libx265", {"options": {"x265-params": "log-level=none"}}),
    "mpeg4.avi": ("mpeg4", {"options": {"bf": "2"}}),
    "prores.mov": ("prores_ks", {"pix_fmt": "yuv422p10le"}),
    "mjpeg.mkv": ("mjpeg", {"pix_fmt": "yuvj420p"}),
    "h264.flv": ("libx264", {}),
    "animation.gif": ("gif", {"pix_fmt": "rgb8"}),
    "av1.mp4": ("libsvtav1", {"options": {"preset": "12"}}),
}


def mutants(folder: Path, count: int, seed: int) -> Iterator[tuple[str, Path]]:
    """(what was done, file), `count` of them; the same for the same seed."""
    rng = np.random.default_rng(seed)
    contents = {
        name: write_clip(folder / name, codec, count=COUNT, **how).read_bytes()
        for name, (codec, how) in CLIPS.items()
    }
    ways = itertools.cycle(itertools.product(CLIPS, MUTATIONS))
    for number, (name, mutate) in enumerate(itertools.islice(ways, count)):
        other = contents[list(CLIPS)[int(rng.integers(len(CLIPS)))]]
        path = folder / f"mutant{Path(name).suffix}"
        path.write_bytes(mutate(bytearray(contents[name]), other, rng))
        yield f"{number} {name} {mutate.__name__}", path


def judge(path: Path) -> str:
    """Read `path`: "refused" or "read", or what is wrong."""
    try:
        source = VideoSource(str(path))
    except SourceError as error:
        few = plain_count(path) if "\n" not in str(error) else -1
        return "refused" if few == 0 else f"FINDING refused, but PyAV gives {few} frames: {error}"
    previous, count = None, 0
    for frame in source:
        count += 1
        if previous is not None:
            if frame.index <= previous.index:
                return f"FINDING index {previous.index} then {frame.index}"
            if frame.time is not None and previous.time is not None and frame.time < previous.time:
                return f"FINDING time {previous.time} then {frame.time}"
            if frame.index > previous.index + 1 and not frame.gap:
                return f"FINDING hole before {frame.index} without a gap"
            if frame.size != previous.size and not frame.gap:
                return f"FINDING size changes at {frame.index} without a gap"
        previous = frame
    source.close()
    plain = plain_count(path)
    if count < plain:
        return f"FINDING {count} frames, PyAV gives {plain}"
    if count < COUNT and source.health == Health(decoded=count):
        return f"silent: {count} frames of {COUNT} and no sign of damage"
    return "read"


if __name__ == "__main__":
    sys.exit(run("tests.stress.fuzz_videos", mutants, judge, __doc__))
