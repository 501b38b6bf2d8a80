from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import pytest

from sources.network import NetworkSource
from streamflow.errors import SourceError
from tests.support.clips import number, numbers, picture, times, write_clip
from tests.support.http_camera import HttpCamera
from tests.support.waiting import until

TIMEOUT = (10.0, 2.0)  # seconds; a busy machine must not look like a silent camera


@pytest.fixture
def camera() -> Iterator[HttpCamera]:
    camera = HttpCamera()
    yield camera
    camera.close()


def test_frames_come_in_order_and_are_stamped_on_arrival(camera):
    """MJPEG has no clock: FFmpeg invents 25 frames a second, the camera gives 50."""
    began = time.monotonic()
    source = NetworkSource(camera.url, timeout=TIMEOUT, every_frame=True)
    frames = list(islice(source, 20))
    camera.stalled = True
    time.sleep(0.5)
    camera.stalled = False
    frames += islice(source, 20)
    source.close()
    assert numbers(frames) == list(range(40))
    assert [frame.index for frame in frames] == list(range(40))
    assert source.info.live
    assert source.info.length is None
    assert source.info.rate is None  # not known: the stream does not say
    assert source.info.size == (96, 64)
    stamps = times(frames)
    assert max(b - a for a, b in pairwise(stamps)) > 0.3  # where it stalled
    assert stamps[-1] - stamps[0] < time.monotonic() - began


def test_newest_frame_wins_and_drops_are_counted(camera):
    source = NetworkSource(camera.url, timeout=TIMEOUT)
    iterator = iter(source)
    frames = [next(iterator)]
    for _ in range(7):
        until(lambda: source.health.decoded > frames[-1].index + 10)
        decoded = source.health.decoded
        frames.append(next(iterator))
        assert frames[-1].index >= decoded - 2  # the last of them may still be on its way to us
    source.close()
    seen = [frame.index for frame in frames]
    assert numbers(frames) == [index % 256 for index in seen]  # what was dropped leaves holes
    assert source.health.dropped >= seen[-1] + 1 - len(frames) > 7 * 8
    assert not any(frame.gap for frame in frames)


def test_every_frame_makes_the_camera_wait(camera):
    source = NetworkSource(camera.url, timeout=(10.0, 10.0), every_frame=True)
    frames = iter(source)
    seen = []
    for _ in range(8):
        seen.append(number(next(frames).image))
        time.sleep(0.1)
    source.close()
    assert seen == list(range(8))
    assert source.health.dropped == 0


@pytest.mark.parametrize("accident", ["dies", "dies within a picture", "stalls", "is switched off"])
def test_it_reconnects_and_marks_the_gap(camera, accident):
    source = NetworkSource(camera.url, timeout=TIMEOUT, every_frame=True)
    frames = iter(source)
    before = [next(frames) for _ in range(5)]
    if accident == "dies":
        camera.hang_up()
    elif accident == "dies within a picture":
        camera.die_within_a_picture()
    elif accident == "stalls":
        camera.stalled = True
        when_noticed(source, lambda: setattr(camera, "stalled", False))
    else:
        camera.switch_off()
        when_noticed(source, camera.switch_on)
    after = [next(frames)]
    while not after[-1].gap:
        after.append(next(frames))
    after += [next(frames) for _ in range(5)]
    source.close()
    everything = before + after
    assert [bool(frame.gap) for frame in everything].count(True) == 1
    assert source.health.gaps == 1
    assert [frame.index for frame in everything] == list(range(len(everything)))
    seen = numbers(everything)
    assert seen == sorted(set(seen))
    for frame, shown in zip(everything, seen, strict=True):  # every picture is whole
        assert np.abs(frame.image.astype(int) - picture(shown)).mean() < 12
    assert times(everything) == sorted(times(everything))
    assert source.health.notes


def test_damaged_picture_is_marked(camera):
    source = NetworkSource(camera.url, timeout=TIMEOUT, every_frame=True)
    frames = iter(source)
    camera.damage_a_picture()
    seen = [next(frames)]
    while not seen[-1].damaged:
        seen.append(next(frames))
    seen += [next(frames) for _ in range(5)]
    source.close()
    wrong = [np.abs(f.image.astype(int) - picture(f.index)).mean() > 12 for f in seen]
    assert wrong == [frame.damaged for frame in seen]
    assert wrong.count(True) == source.health.damaged == 1


def when_noticed(source: NetworkSource, repair: Callable[[], object]) -> None:
    """Repair the camera once its absence is noted, while the consumer waits for frames."""

    def wait_and_repair() -> None:
        until(lambda: source.health.notes)
        repair()

    threading.Thread(target=wait_and_repair, daemon=True).start()


def test_gap_survives_when_its_frame_is_dropped(camera):
    source = NetworkSource(camera.url, timeout=TIMEOUT)
    list(islice(source, 3))
    camera.hang_up()
    until(lambda: source.health.gaps)
    dropped = source.health.dropped
    until(lambda: source.health.dropped > dropped + 3)  # the first frame after the reconnection is overtaken
    gaps = [bool(frame.gap) for frame in list(islice(source, 4))]
    source.close()
    assert sum(gaps) == 1
    assert source.health.gaps == 1


def test_it_gives_up_after_the_limit(camera):
    source = NetworkSource(camera.url, timeout=TIMEOUT, give_up=3.0)
    list(islice(source, 3))
    camera.switch_off()
    with pytest.raises(SourceError, match=r"no frame for 3 s \(Connection refused\)"):
        list(source)
    source.close()


def test_refused_connection_is_one_line_at_once():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        with pytest.raises(SourceError, match="Connection refused") as caught:
            NetworkSource(url, timeout=TIMEOUT)
    assert url in str(caught.value)
    assert "\n" not in str(caught.value)


def test_silent_server_is_left_within_the_timeout():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        start = time.monotonic()
        with pytest.raises(SourceError, match="no answer within the timeout"):
            NetworkSource(f"http://127.0.0.1:{silent.getsockname()[1]}/", timeout=(0.5, 0.5))
        assert time.monotonic() - start < 10


@pytest.fixture
def web(tmp_path) -> Iterator[str]:
    """URL of a web server for the files in `tmp_path`."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path))) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_absent_page_is_one_line(web):
    with pytest.raises(SourceError, match="404"):
        NetworkSource(f"{web}/absent.mp4", timeout=TIMEOUT)


def test_page_without_video_is_one_line(web, tmp_path):
    (tmp_path / "page.html").write_text("<html>hello</html>" * 99)
    with pytest.raises(SourceError, match=r"page.html: Invalid data"):
        NetworkSource(f"{web}/page.html", timeout=TIMEOUT)


def test_file_on_a_web_server_has_an_end_and_every_frame_counts(web, tmp_path):
    write_clip(tmp_path / "clip.mp4")
    source = NetworkSource(f"{web}/clip.mp4", timeout=TIMEOUT)
    assert not source.info.live
    frames = list(source)
    source.close()
    assert numbers(frames) == list(range(30))
    assert [(time - times(frames)[0]) * 25 for time in times(frames)] == list(range(30))


def test_password_stays_out_of_messages():
    with pytest.raises(SourceError) as caught:
        NetworkSource("http://me:secret@127.0.0.1:1/x", timeout=TIMEOUT)
    assert "secret" not in str(caught.value)


def test_close_ends_within_the_timeout_while_the_camera_is_silent(camera):
    source = NetworkSource(camera.url, timeout=TIMEOUT)
    list(islice(source, 2))
    camera.stalled = True
    time.sleep(0.1)
    start = time.monotonic()
    source.close()
    source.close()
    assert time.monotonic() - start < sum(TIMEOUT) + 5
    assert list(source) == []


def test_close_wakes_a_waiting_consumer(camera):
    source = NetworkSource(camera.url, timeout=TIMEOUT)
    list(islice(source, 2))
    camera.stalled = True
    closing = threading.Timer(0.3, source.close)
    closing.start()
    list(source)  # what was on its way
    assert closing.is_alive()  # it waits for the reader, which waits for the camera; the consumer does not
    closing.join()


INTERRUPTED = """
import sys
from sources.network import NetworkSource
source = NetworkSource(sys.argv[1], timeout=(2.0, 1.0))
try:
    for frame in source:
        print(frame.index, flush=True)
except KeyboardInterrupt:
    source.close()
    print("interrupted", flush=True)
"""


def test_ctrl_c_on_a_silent_camera_ends_within_the_timeout(camera):
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, camera.url],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip().isdecimal()
    camera.stalled = True
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert said.endswith("interrupted\n")
    assert process.returncode == 0
