"""RTSP from a real server, which a camera feeds: Debian's rtsp-server-perl, which knows UDP only."""

from __future__ import annotations

import random
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from itertools import pairwise
from threading import Event, Thread

import av
import pytest

from sources.network import NetworkSource
from tests.support.clips import number, numbers, picture
from tests.support.waiting import until

FPS = 20
SIZE = 160, 96
QUICK = {"preset": "ultrafast", "tune": "zerolatency", "g": "10"}

pytestmark = pytest.mark.skipif(
    shutil.which("rtsp-server-perl") is None, reason="rtsp-server-perl is not installed"
)


def free_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])


def answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


class RtspServer:
    """A server, and a camera that sends it numbered pictures."""

    def __init__(self) -> None:
        self._front, self._back = free_port(), free_port()
        self._over = Event()
        self.url = f"rtsp://127.0.0.1:{self._front}/live"
        self.switch_on()

    def switch_on(self) -> None:
        ports = ["--clientport", self._front, "--serverport", self._back]
        first = random.randrange(20_000, 60_000, 64)  # of the ports for the pictures
        words = ["rtsp-server-perl", *ports, "--rtp_start_port", first, "--loglevel", 0]
        self._server = subprocess.Popen(list(map(str, words)), stderr=subprocess.DEVNULL)
        until(lambda: answers(self._front) and answers(self._back))
        self._over.clear()
        self._camera = Thread(target=self._film)
        self._camera.start()

    def switch_off(self) -> None:
        self._over.set()
        self._camera.join()
        self._server.kill()
        self._server.wait()

    def _film(self) -> None:
        url = f"rtsp://127.0.0.1:{self._back}/live"
        with (
            suppress(av.FFmpegError),
            av.open(url, "w", format="rtsp", options={"rtsp_transport": "udp"}) as container,
        ):
            stream = container.add_stream("libx264", rate=FPS, options=QUICK)
            stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
            count = 0
            while not self._over.wait(1 / FPS):
                frame = av.VideoFrame.from_ndarray(picture(count % 256, SIZE), "bgr24")
                frame.pts, frame.time_base = count, Fraction(1, FPS)
                container.mux(stream.encode(frame))
                count += 1


@pytest.fixture
def server() -> Iterator[RtspServer]:
    server = RtspServer()
    yield server
    server.switch_off()


def opened(url: str) -> NetworkSource:
    """Open it as soon as the camera has begun."""
    found: list[NetworkSource] = []

    def attempt() -> bool:
        with suppress(Exception):
            found.append(NetworkSource(url))
        return bool(found)

    until(attempt)
    return found[0]


def test_frames_come_in_order_on_the_camera_s_clock(server):
    source = opened(server.url)
    frames = [frame for frame, _ in zip(source, range(30), strict=False)]
    source.close()
    assert source.info.live
    assert source.info.size == SIZE
    assert numbers(frames) == sorted(set(numbers(frames)))
    for before, frame in pairwise(frames):
        if not frame.gap:  # what was sent and not seen shows in the time between
            sent = number(frame.image) - number(before.image)
            assert frame.time - before.time == pytest.approx(sent / FPS, abs=0.002)


def test_server_that_dies_and_comes_back_is_a_gap(server):
    source = opened(server.url)
    frames = iter(source)
    next(frames)
    server.switch_off()
    server.switch_on()
    until(lambda: next(frames).gap, 100)
    source.close()
    assert source.health.gaps >= 1
    assert source.health.notes
