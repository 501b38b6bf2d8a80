"""The page: over real HTTP, and in a real browser."""

from __future__ import annotations

import os
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path

import cv2
import numpy as np
import pytest

from sinks import Run, open_sink
from sinks.web import WebSink
from sinks.writing import live_view
from streamflow.draw.painter import Painter
from streamflow.draw.panel import Style
from streamflow.errors import SinkError
from streamflow.options import Knobs
from streamflow.values import Result
from tests.support.chromium import Browser, chromium
from tests.support.made_results import INFO, make_results, make_run
from tests.support.page import Page
from tests.support.waiting import until

RESULTS = make_results(size=(321, 243))


def image_run() -> Run:
    """A run whose pictures are the frames."""
    knobs = Knobs(10.0)
    return replace(make_run(), painter=Painter(knobs, Style(("image",), clean=True)), knobs=knobs)


@contextmanager
def served(run: Run | None = None, spelling: str = "web:0") -> Iterator[tuple[WebSink, Page]]:
    sink = open_sink(spelling, run or image_run())
    assert isinstance(sink, WebSink)
    try:
        yield sink, Page(sink.announcement)
    finally:
        sink.close()


@contextmanager
def going_on(sink: WebSink, results: list[Result] = RESULTS) -> Iterator[Callable[[], int]]:
    """A run that goes on and on; how many results it has shown."""
    shown = count()
    done, ended = [0], threading.Event()

    def run() -> None:
        while not ended.is_set():
            sink.write(results[next(shown) % len(results)])
            done[0] += 1
            time.sleep(0.005)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield lambda: done[0]
    finally:
        ended.set()
        sink._live._run.knobs.stopping = True
        thread.join()


def difference(picture: np.ndarray, other: np.ndarray) -> float:
    """Grey levels, on average."""
    return float(np.abs(picture.astype(int) - other).mean())


def test_a_viewer_sees_the_picture_of_the_newest_result() -> None:
    with served() as (sink, page):
        for result in RESULTS[:3]:
            sink.write(result)
        pictures = page.pictures()
        assert difference(next(pictures), RESULTS[2].pair.reference.image) < 3
        sink.write(RESULTS[3])  # the one before was whole although this one was not there yet
        assert difference(next(pictures), RESULTS[3].pair.reference.image) < 3
        assert difference(RESULTS[3].pair.reference.image, RESULTS[2].pair.reference.image) > 6


def test_who_comes_before_the_first_picture_waits_for_it() -> None:
    with served() as (sink, page):
        assert page.state()["views"] == []
        assert page.ask("snapshot.png")[0].status == 404
        pictures = page.pictures()
        threading.Timer(0.2, sink.write, RESULTS[:1]).start()
        assert difference(next(pictures), RESULTS[0].pair.reference.image) < 3


def test_the_state_tells_of_the_run() -> None:
    with served() as (sink, page):
        for result in RESULTS:
            sink.write(result)
        state = page.state()
        assert state.pop("pairs_per_s") > 5
        assert {"image", "flow", "depth", "planes"} < set(state.pop("views"))
        assert state == {
            "source": "made.mp4", "ended": False, "paused": False, "view": "all", "threshmin": 10,
            "pairs": 5, "time_s": 0.2, "status": "moving", "statuses": {"moving": 5},
        }  # fmt: skip


def test_a_viewer_that_reads_nothing_costs_nothing_and_the_next_sees_the_newest() -> None:
    big = make_results(size=(1281, 719))
    with served() as (sink, page), page.connection(), page.connection():
        slowest = 0.0
        for number in range(300):  # some 30 MB of pictures, more than all buffers hold
            begun = time.monotonic()
            sink.write(big[number % len(big)])
            slowest = max(slowest, time.monotonic() - begun)
            time.sleep(0.005)
        assert slowest < 1  # second; it would be for ever
        drawn, _ = sink._live._jpeg  # number of the last picture that was made for them
        assert 0 < drawn < 100
        assert difference(next(page.pictures()), big[299 % len(big)].pair.reference.image) < 3


def test_a_paused_run_waits_and_a_step_is_one_result() -> None:
    with served() as (sink, page), going_on(sink) as shown:
        until(lambda: shown() > 3)
        assert page.post("pause") == 204
        assert page.state()["paused"] is True
        until(lambda: page.state()["pairs"] == shown() + 1)  # the next one is held
        before = shown()
        for step in (1, 2):
            assert page.post("step") == 204
            until(lambda: shown() >= before + step)  # noqa: B023
            time.sleep(0.2)
            assert shown() == before + step
        assert page.post("go") == 204
        until(lambda: shown() > before + 5)
        assert page.state()["paused"] is False


def test_a_pause_ends_when_nobody_is_left_to_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with served() as (sink, page), going_on(sink) as shown:
        page.post("pause")
        until(lambda: page.state()["pairs"] == shown() + 1)
        monkeypatch.setattr(live_view, "ALONE", 0.3)
        before = shown()
        until(lambda: shown() > before + 3)
        assert page.state()["paused"] is False


def test_the_end_of_the_run_waits_for_no_viewer() -> None:
    run = image_run()
    with served(run) as (sink, page), going_on(sink) as shown:
        page.post("pause")
        until(lambda: page.state()["pairs"] == shown() + 1)
        run.knobs.stopping = True
        before = shown()
        until(lambda: shown() > before + 3)
        assert page.state()["paused"] is True  # nobody ended the pause


def test_the_threshold_is_the_run_s_and_the_paused_picture_follows() -> None:
    """At a threshold above every smin there is not one arrow left."""
    run = make_run()
    with served(run) as (sink, page), going_on(sink):
        page.post("view/flow")
        page.post("pause")
        pictures = page.pictures()
        arrows = colourful(next(pictures))
        assert arrows > 300
        assert page.post("threshmin/21.5") == 204
        assert (run.knobs.threshmin, page.state()["threshmin"]) == (21.5, 21.5)
        until(lambda: colourful(next(pictures)) < arrows / 10)


def colourful(picture: np.ndarray) -> int:
    return int((np.ptp(picture.astype(int), axis=2) > 60).sum())


def test_the_view_is_the_page_s_own() -> None:
    run = make_run()
    with served(run) as (sink, page):
        sink.write(RESULTS[0])
        pictures = page.pictures()
        before = next(pictures)
        assert page.post("view/confidence") == 204
        assert difference(next(pictures), before) > 5
        assert page.state()["view"] == "confidence"
        assert run.painter.view == "all"
        assert page.post("view/all") == 204
        assert difference(next(pictures), before) == 0


@pytest.mark.parametrize(
    "words", ["view/nothing", "view", "threshmin/x", "threshmin/nan", "threshmin/inf", "stop", "", "../state"]
)
def test_nonsense_changes_nothing(words: str) -> None:
    with served() as (sink, page):
        sink.write(RESULTS[0])
        before = page.state()
        assert page.post(words) == 404
        assert {**page.state(), "pairs_per_s": None} == {**before, "pairs_per_s": None}


def test_a_snapshot_is_the_picture_to_the_bit_with_a_name() -> None:
    run = replace(make_run(), source=replace(INFO, stem="Gänge"))
    with served(run) as (sink, page):
        sink.write(RESULTS[0])
        page.post("view/depth")
        answer, png = page.ask("snapshot.png")
    assert answer.headers["Content-Disposition"].endswith("''G%C3%A4nge_000001_depth.png")
    picture = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(picture, Painter(run.knobs, run.painter.style, "depth").draw(RESULTS[0]))


def test_a_file_plays_in_its_own_time_if_asked_to() -> None:
    with served(replace(image_run(), realtime=True)) as (sink, _):
        begun = time.monotonic()
        for result in RESULTS:
            sink.write(result)
        assert 0.155 < time.monotonic() - begun < 2  # 4 intervals, 25 a second


def test_the_end_is_told_with_the_last_picture_and_nothing_is_left() -> None:
    with served() as (sink, page):
        pictures = page.pictures()
        sink.write(RESULTS[0])
        next(pictures)
        until(lambda: page.state()["pairs"] == 1)
        closing = threading.Thread(target=sink.close)
        closing.start()
        until(lambda: page.state()["ended"])
        *_, last = pictures
        assert difference(last, RESULTS[0].pair.reference.image) < 3
        closing.join()
        sink.close()
        with pytest.raises(ConnectionRefusedError):
            page.state()
    assert "page server" not in [thread.name for thread in threading.enumerate()]


def test_nobody_waits_for_pages_that_nobody_looks_at() -> None:
    with served() as (sink, _):
        sink.write(RESULTS[0])
        begun = time.monotonic()
    assert time.monotonic() - begun < 1


@pytest.mark.parametrize("host", ["", "127.0.0.1:", "localhost:"])
def test_this_machine_s_browsers_need_no_secret(host: str) -> None:
    with served(spelling=f"web:{host}0") as (_, page):
        assert page.root == "/"
        assert page.ask("")[0].status == 200


def test_other_machines_need_the_address_that_was_printed() -> None:
    with served(spelling="web:0.0.0.0:0") as (sink, page), served(spelling="web:0.0.0.0:0") as (_, other):
        assert re.fullmatch(r"/[\w-]{20,}/", page.root)
        assert page.root != other.root
        assert f"//{socket.gethostname()}:" in page.url
        assert page.ask("")[0].status == 200
        sink.write(RESULTS[0])
        secret, page.root = page.root, "/"
        for path in ("", "state", "stream.mjpg", "snapshot.png", secret[1:-2] + "/state", "/state"):
            assert page.ask(path)[0].status == 404
        assert page.post("pause") == 404


def test_other_sites_have_no_business_here() -> None:
    with served() as (_, page):
        own = f"127.0.0.1:{page.port}"
        assert page.ask("pause", "POST", Origin=f"http://{own}")[0].status == 204
        assert page.ask("go", "POST", Origin="http://site.example")[0].status == 403
        assert page.ask("go", "POST", Origin="null")[0].status == 403
        assert page.ask("state", Host="site.example")[0].status == 403  # a name given to our address
        assert page.ask("state", Host="localhost:9000")[0].status == 200  # through ssh -L
        assert page.state()["paused"] is True


@pytest.mark.parametrize(
    ("spelling", "said"),
    [
        ("web:", "is not web:PORT or web:HOST:PORT, such as web:8080"),
        ("web:port", "web:port: is not web:PORT"),
        ("web:70000", "is not web:PORT"),
        ("web:nowhere.invalid:8080", r"nowhere\.invalid:8080 cannot be served at: .*0\.0\.0\.0:8080"),
        ("web:192.0.2.1:8080", r"that is not an address of this machine; 0\.0\.0\.0 is all"),
    ],
)
def test_an_address_that_cannot_be_is_one_line(spelling: str, said: str) -> None:
    with pytest.raises(SinkError, match=said) as caught:
        open_sink(spelling, make_run())
    assert "\n" not in str(caught.value)


def test_a_port_that_is_taken_is_one_line() -> None:
    with served() as (_, page), pytest.raises(SinkError, match=rf"port {page.port} is taken; choose another"):
        open_sink(f"web:{page.port}", make_run())


def privileged_ports() -> int:
    path = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
    return int(path.read_text()) if path.exists() else 1024


@pytest.mark.skipif(privileged_ports() <= 80, reason="port 80 is for everybody here")
def test_a_port_that_needs_privileges_is_one_line() -> None:
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        with pytest.raises(SinkError, match=r"port 80 is not for everybody; choose one above 1023"):
            open_sink("web:80", make_run())
    finally:
        if root:
            os.seteuid(0)


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    if chromium() is None:
        pytest.skip("Chromium is not installed")
    browser = Browser(tmp_path / "profile")
    yield browser
    browser.close()


def test_a_browser_shows_the_run_and_turns_it(browser: Browser) -> None:
    run = make_run()
    with served(run) as (sink, page):
        browser.open(page.url)
        browser.wait_for("run.textContent === 'waiting for the first picture'")
        with going_on(sink) as shown:
            browser.wait_for("picture.naturalWidth > 300")
            browser.wait_for("status.textContent === 'camera: moving'")
            browser.press("v")
            browser.wait_for("view.value === 'image'")
            browser.press(" ")
            browser.wait_for("run.textContent === 'paused' && pause.textContent === 'go on'")
            until(lambda: page.state()["pairs"] == shown() + 1)
            held = shown()
            picture = RESULTS[held % len(RESULTS)].pair.reference.image
            until(lambda: contains(browser.screenshot(), picture))
            browser.press("+")
            browser.wait_for("threshmin.value === '11'")
            assert run.knobs.threshmin == 11
            browser.press(".")
            browser.wait_for(f"state.pairs === {held + 2}")
            browser.value("view.value = 'depth'; view.dispatchEvent(new Event('change'))")
            until(lambda: page.state()["view"] == "depth")
            browser.value("view.value = 'image'; view.dispatchEvent(new Event('change'))")
            browser.value("pause.click()")
            browser.wait_for("run.textContent === 'running' && view.value === 'image'")
    browser.wait_for("run.textContent === 'ended'")
    last = RESULTS[(page_pairs(browser) - 1) % len(RESULTS)].pair.reference.image
    assert contains(browser.screenshot(), last)  # it stays
    assert all(url.startswith((page.url, "data:")) for url in browser.requests)


def page_pairs(browser: Browser) -> int:
    return int(browser.value("state.pairs"))


def contains(screenshot: np.ndarray, picture: np.ndarray) -> bool:
    """Whether a picture is somewhere on the screen, at twice its size, give or take the JPEG."""
    shown = cv2.resize(picture, None, fx=640 / picture.shape[1], fy=640 / picture.shape[1])
    match = cv2.matchTemplate(screenshot, shown[40:-40, 40:-40], cv2.TM_CCOEFF_NORMED)
    return float(match.max()) > 0.98
