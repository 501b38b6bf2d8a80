"""What reading and writing costs: frames a second through source and video sink, over PyAV's alone.

The chain is empty: every picture is written as it was read. PyAV decodes and encodes with the same codec and
options, once keeping the decoder's colours (YUV), once through the BGR image that any computing needs. All
take turns on the same clip; figures are medians of ratios within a round.

    python benchmarks/overhead.py FILE [--frames N] [--rounds N]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from itertools import islice
from pathlib import Path
from statistics import median

import av
import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from sinks import Run, open_sink
from sinks.video import H264
from sources import open_source
from streamflow.cli.write_behind import WriteBehind
from streamflow.draw.painter import Painter
from streamflow.options import Knobs
from streamflow.pairs import frame_pairs
from streamflow.values import CameraSource, Image, Result


class Untouched(Painter):
    """Draws nothing."""

    def draw(self, result: Result) -> Image:
        """Return the frame as it is."""
        return result.pair.reference.image


def ours(clip: str, count: int) -> None:
    """Read and write as the program does."""
    with closing(open_source(clip)) as source:
        knobs = Knobs()
        sink = open_sink("ours.mp4", Run(source.info, Untouched(knobs), knobs, overwrite=True))
        behind = WriteBehind(sink.write)
        for pair in islice(frame_pairs(source), count):
            behind.put(Result(pair, np.eye(3), CameraSource.ASSUMED))
        behind.finish()
        sink.close()


def bare(clip: str, count: int, through_bgr: bool) -> None:
    """Read and write with PyAV alone."""
    with av.open(clip) as container, av.open("bare.mp4", "w") as output:
        video = container.streams.video[0]
        video.thread_type = "AUTO"
        stream = output.add_stream("libx264", rate=video.average_rate, options=H264)
        stream.width, stream.height, stream.pix_fmt = video.width, video.height, "yuv420p"
        stream.codec_context.thread_count = 2
        for frame in islice(container.decode(video), count):
            shown = frame
            if through_bgr:
                shown = av.VideoFrame.from_ndarray(frame.to_ndarray(format="bgr24"), format="bgr24")
                shown.pts, shown.time_base = frame.pts, frame.time_base
            shown.pict_type = av.video.frame.PictureType.NONE
            output.mux(stream.encode(shown))
        output.mux(stream.encode(None))


def main() -> None:
    """Print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file")
    parser.add_argument("--frames", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    clip, count = str(Path(arguments.file).resolve()), arguments.frames
    methods: dict[str, Callable[[], None]] = {
        "ours": lambda: ours(clip, count),
        "YUV": lambda: bare(clip, count, through_bgr=False),
        "BGR": lambda: bare(clip, count, through_bgr=True),
    }
    seconds: dict[str, list[float]] = {name: [] for name in methods}
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for _ in range(arguments.rounds):
            for name, method in methods.items():
                started = time.perf_counter()
                method()
                seconds[name].append(time.perf_counter() - started)
    for name in ("YUV", "BGR"):
        ratio = median(other / own for other, own in zip(seconds[name], seconds["ours"], strict=True))
        print(f"frames a second over PyAV's alone, in {name}: {ratio:.2f}")


if __name__ == "__main__":
    main()
