"""A live run against a camera that dies and stalls: python -m tests.stress.soak_camera MINUTES [SEED].

The pictures carry their number: where more of them are missing than were overtaken, the frame after the hole
must be marked by a gap. Prints the gaps and how resident memory grows after the first two minutes.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Iterator
from threading import Event, Thread

from sources.network import NetworkSource
from streamflow.options import Options
from streamflow.pipeline import results
from streamflow.values import Frame
from tests.stress.soak_sinks import resident
from tests.support.clips import number
from tests.support.http_camera import HttpCamera

SETTLED = 2  # minutes: all is compiled, and every thread has had its share of memory


def stall(camera: HttpCamera, seconds: float) -> None:
    camera.stalled = True
    time.sleep(seconds)
    camera.stalled = False


def vanish(camera: HttpCamera, seconds: float) -> None:
    camera.switch_off()
    time.sleep(seconds)
    camera.switch_on()


ACCIDENTS: tuple[Callable[[HttpCamera, float], None], ...] = (
    stall,
    vanish,
    lambda camera, seconds: camera.hang_up(),
    lambda camera, seconds: camera.die_within_a_picture(),
)


def trouble(camera: HttpCamera, over: Event, seed: int) -> None:
    chance = random.Random(seed)
    while not over.wait(chance.uniform(1, 10)):
        chance.choice(ACCIDENTS)(camera, chance.uniform(0, 8))


class Checked:
    """The frames of `source` until `ends`; holes that no gap marks are counted."""

    def __init__(self, source: NetworkSource, ends: float) -> None:
        self._source, self._ends = source, ends
        self.silent, self.marked = 0, 0

    def __iter__(self) -> Iterator[Frame]:
        before: tuple[int, int] | None = None  # index and number
        for frame in self._source:
            shown = number(frame.image)
            if before is not None and not frame.gap and not frame.damaged:
                self.silent += (shown - before[1]) % 256 != (frame.index - before[0]) % 256
            self.marked += frame.gap is not None
            before = frame.index, shown
            yield frame
            if time.monotonic() > self._ends:
                return


def soak(minutes: float, seed: int) -> int:
    camera, over = HttpCamera(fps=20), Event()
    source = NetworkSource(camera.url)
    began, shown, settled = time.monotonic(), 0.0, 0.0
    frames = Checked(source, began + 60 * minutes)
    analysis = results(frames, options=Options(flow="fast"), source=source.info)
    next(analysis)  # what has to be compiled is compiled
    Thread(target=trouble, args=(camera, over, seed), daemon=True).start()
    for _ in analysis:
        passed = (time.monotonic() - began) / 60
        if passed > shown + 0.5:
            shown = passed
            settled = settled or resident() * (passed > SETTLED)
            grown = f", {resident() - settled:+.1f} MB" if settled else ""
            print(f"{passed:.1f} min, {frames.marked} gaps{grown}", flush=True)
    over.set()
    source.close()
    camera.close()
    health = source.health
    print(f"{health.decoded} frames, {health.dropped} overtaken, {health.damaged} damaged")
    print(f"{health.gaps} gaps on {frames.marked} frames, {frames.silent} holes without")
    return int(frames.silent > 0)


if __name__ == "__main__":
    sys.exit(soak(float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1))
