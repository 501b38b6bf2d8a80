"""The window on a real X server: keys, the close button, and no server at all."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from sinks.window import fitted_size
from streamflow.draw.views import VIEWS
from tests.support.waiting import until
from tests.support.x_window import ROOT, SHOW, Viewer, ask_to_close, best_match, colourful, screenshot


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    """An X server of our own, with no window manager and nothing else on it."""
    if shutil.which("Xvfb") is None or shutil.which("xdotool") is None:
        pytest.skip("Xvfb or xdotool is not installed")
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "1024x768x24", "-nolisten", "tcp"],
        pass_fds=[write],
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    with os.fdopen(read) as numbers:
        number = numbers.readline().strip()
    yield f":{number}"
    server.terminate()
    server.wait()


@pytest.fixture
def viewer(display: str, tmp_path: Path) -> Iterator[Viewer]:
    viewer = Viewer(display, tmp_path)
    yield viewer
    viewer.process.kill()
    viewer.process.communicate()


@pytest.mark.parametrize("key", ["q", "Escape"])
def test_a_key_ends_the_run(viewer, key):
    viewer.press(key)
    assert viewer.rest()[-2:] == ["stopped: q was pressed", "end"]


def test_the_close_button_ends_the_run(viewer, display):
    ask_to_close(display, int(viewer.window))
    assert viewer.rest()[-2:] == ["stopped: the window was closed", "end"]


def test_plus_and_minus_turn_the_threshold(viewer):
    for key, threshold in (("plus", 11), ("minus", 10), ("minus", 9)):
        viewer.press(key)
        assert viewer.wait_for(f" {threshold}.0 ")
        title = f"threshmin {threshold} "
        until(lambda: title in viewer.title())  # noqa: B023


def test_v_goes_round_the_views_of_this_window_only(viewer):
    for view in (*VIEWS, "all"):
        viewer.press("v")
        assert viewer.wait_for(f" {view} all").endswith(" all")


def test_space_pauses_and_goes_on(viewer):
    viewer.pause()
    viewer.press("v")  # a paused picture can still be looked at in another way
    until(lambda: " image " in viewer.title())
    viewer.press("space")
    paused_at = int(viewer.wait_for(" image all").split()[0])
    assert int(viewer.next_line().split()[0]) == paused_at + 1
    until(lambda: "paused" not in viewer.title())


def test_a_full_stop_lets_one_picture_come_and_pauses(viewer):
    viewer.pause()
    paused_at = None
    for _ in range(2):
        viewer.press("period")
        count = int(viewer.wait_for(" all").split()[0])  # printed when the run goes on
        while paused_at is None and select.select([viewer.process.stdout], [], [], 0.3)[0]:
            count = int(viewer.next_line().split()[0])  # what was printed before the pause
        assert paused_at is None or count == paused_at + 1
        paused_at = count
        assert "paused" in viewer.title()


def test_a_paused_window_shows_what_plus_did(viewer, display, tmp_path):
    """At a threshold above every smin there is not one arrow left."""
    viewer.pause()
    for view in ("image", "flow"):
        viewer.press("v")
        title = f" {view} "
        until(lambda: title in viewer.title())  # noqa: B023
    until(lambda: colourful(screenshot(display, tmp_path)) > 500)
    before = screenshot(display, tmp_path)
    for threshold in range(11, 22):  # smin is 20 in most places
        viewer.press("plus")
        title = f"threshmin {threshold} "
        until(lambda: title in viewer.title())  # noqa: B023

    def arrows_are_gone() -> bool:
        return colourful(screenshot(display, tmp_path)) < colourful(before) / 10

    until(arrows_are_gone)
    assert arrows_are_gone()


def test_h_shows_the_keys_on_the_picture_and_not_in_what_is_saved(viewer, display, tmp_path):
    viewer.pause()
    viewer.press("s")
    until(lambda: len(list(tmp_path.glob("made_*.png"))) == 1)
    viewer.press("h")
    viewer.press("s")
    until(lambda: len(list(tmp_path.glob("made_*.png"))) == 2)
    first, second = (cv2.imread(str(path)) for path in tmp_path.glob("made_*.png"))
    np.testing.assert_array_equal(first, second)


def test_a_window_fits_its_screen():
    picture = np.zeros((2160, 7680, 3), np.uint8)
    assert fitted_size(picture, (1920, 1080)) == (1728, 486)
    assert fitted_size(picture[:, :1000], (1920, 1080)) == (450, 972)
    assert fitted_size(picture[:480, :640], (1920, 1080)) == (640, 480)
    assert fitted_size(picture, None) == (7680, 2160)


def test_the_screen_tells_its_size(display):
    code = f"""
import sys
sys.path.insert(0, {ROOT!r})
from sinks.writing.display import screen_size
print(screen_size())
"""
    environment = {**os.environ, "DISPLAY": display}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.stdout.strip() == "(1024, 768)"


def test_s_saves_the_picture_under_a_name_that_is_free(viewer, tmp_path):
    def saved() -> list[Path]:
        return sorted(tmp_path.glob("made_*.png"), key=lambda path: len(path.name))

    viewer.pause()
    viewer.press("s")
    until(lambda: len(saved()) == 1)
    viewer.press("s")
    until(lambda: len(saved()) == 2)
    first, second = saved()
    assert first.name.startswith("made_00000")
    assert second.name == first.name.replace("_all.png", "_all1.png")
    picture = cv2.imread(str(first))
    assert picture.shape == (240, 640, 3)  # two panels
    np.testing.assert_array_equal(picture, cv2.imread(str(second)))


def test_the_window_shows_the_picture(viewer, display, tmp_path):
    if shutil.which("import") is None:
        pytest.skip("ImageMagick's import, which takes screenshots, is not installed")
    viewer.pause()
    viewer.press("s")
    until(lambda: list(tmp_path.glob("made_*.png")))
    (saved,) = tmp_path.glob("made_*.png")
    shown = cv2.imread(str(saved))[40:200, 40:300]

    def is_shown() -> bool:
        if best_match(screenshot(display, tmp_path), shown) > 0.95:
            return True
        # On a busy machine Qt can miss the one request to draw that a server without window manager sends.
        viewer.xdotool("windowunmap", "--sync", viewer.window, "windowmap", "--sync", viewer.window)
        return False

    until(is_shown)
    assert best_match(screenshot(display, tmp_path), shown) > 0.95


@pytest.mark.parametrize(
    ("display", "said"),
    [
        ("", "window: no display (DISPLAY is not set); write a file instead, such as -o out.mp4"),
        (":987", "window: display :987 does not answer; write a file instead, such as -o out.mp4"),
        ("nowhere.invalid:0", "window: display nowhere.invalid:0 does not answer"),
        ("nonsense", "window: display nonsense does not answer"),
    ],
)
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only X can be missing")
def test_without_a_display_there_is_one_line_and_no_abort(display, said):
    environment = {**os.environ, "DISPLAY": display}
    done = subprocess.run([sys.executable, "-c", SHOW], env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith(f"SinkError: {said}")
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""


def test_ctrl_c_ends_a_run_whose_window_is_paused(display, tmp_path):
    environment = {**os.environ, "DISPLAY": display}

    def xdotool(*command: str) -> str:
        return subprocess.run(["xdotool", *command], env=environment, capture_output=True, text=True).stdout

    words = [
        str(Path(ROOT) / "stream.py"),
        "demo:wall,size=160x120,frames=100000",
        "--plot_flow",
        "-o",
        "window",
    ]
    process = subprocess.Popen(
        [sys.executable, *words], env=environment, cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    try:
        until(
            lambda: xdotool("search", "--onlyvisible", "--name", "demo:wall"), 200
        )  # it may have to compile
        window = xdotool("search", "--onlyvisible", "--name", "demo:wall").split()[0]
        xdotool("windowfocus", "--sync", window)
        xdotool("key", "space")
        until(lambda: "paused" in xdotool("getwindowname", window))
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130, errors
