"""A window on an X server: the keyboard before it, its close button, and what the screen shows."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np

from tests.support.waiting import until

ROOT = str(Path(__file__).parents[2])


SHOW = f"""
import sys
from dataclasses import replace
sys.path.insert(0, {ROOT!r})
from sinks import open_sink
from streamflow.draw.painter import Painter
from streamflow.draw.panel import Style
from streamflow.errors import SinkError, StopStreaming
from tests.support.made_results import make_results, make_run
run = make_run()
run = replace(run, painter=Painter(run.knobs, Style(("depth", "flow"))))
results = make_results(size=(320, 240))
try:
    sink = open_sink("window", run)
except SinkError as error:
    sys.exit(f"SinkError: {{error}}")
try:
    for count in range(100_000):
        sink.write(results[count % len(results)])
        print(count, run.knobs.threshmin, sink._viewer.view, run.painter.view, flush=True)
except StopStreaming as reason:
    print("stopped:", reason, flush=True)
sink.close()
sink.close()
print("end", flush=True)
"""


class ClientMessage(ctypes.Structure):
    """XClientMessageEvent, padded to the size of an XEvent."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("serial", ctypes.c_ulong),
        ("send_event", ctypes.c_int),
        ("display", ctypes.c_void_p),
        ("window", ctypes.c_ulong),
        ("message_type", ctypes.c_ulong),
        ("format", ctypes.c_int),
        ("data", ctypes.c_long * 5),
        ("padding", ctypes.c_long * 12),
    )


def ask_to_close(display: str, window: int) -> None:
    """Send what a window manager sends when the close button is pressed."""
    x = ctypes.CDLL("libX11.so.6")
    x.XOpenDisplay.restype = ctypes.c_void_p
    x.XInternAtom.restype = ctypes.c_ulong
    connection = ctypes.c_void_p(x.XOpenDisplay(display.encode()))
    protocols = x.XInternAtom(connection, b"WM_PROTOCOLS", 0)
    delete = x.XInternAtom(connection, b"WM_DELETE_WINDOW", 0)
    event = ClientMessage(type=33, window=window, message_type=protocols, format=32)
    event.data[0] = delete
    x.XSendEvent(connection, ctypes.c_ulong(window), 0, ctypes.c_long(0), ctypes.byref(event))
    x.XCloseDisplay(connection)


class Viewer:
    """A process that shows results in a window, and the keyboard before it.

    Qt remembers one key only: wait for the effect of each before the next is pressed.
    """

    def __init__(self, display: str, folder: Path) -> None:
        self._environment = {**os.environ, "DISPLAY": display}
        self.process = subprocess.Popen(
            [sys.executable, "-c", SHOW],
            env=self._environment,
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.next_line()
        self.window = self.xdotool("search", "--sync", "--onlyvisible", "--name", "streamflow")[0]
        self.xdotool("windowfocus", "--sync", self.window)

    def xdotool(self, *command: str) -> list[str]:
        done = subprocess.run(["xdotool", *command], env=self._environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    def press(self, key: str) -> None:
        self.xdotool("key", key)

    def pause(self) -> None:
        self.press("space")
        until(lambda: "paused" in self.title())

    def title(self) -> str:
        return self.xdotool("getwindowname", self.window)[0]

    def next_line(self) -> str:
        return self.process.stdout.readline().strip()

    def wait_for(self, what: str) -> str:
        """The next line of the process that contains `what`."""
        return next(line for line in map(str.strip, self.process.stdout) if what in line)

    def rest(self) -> list[str]:
        lines = self.process.stdout.read().splitlines()
        assert self.process.wait() == 0
        return lines


def colourful(picture: np.ndarray) -> int:
    return int((np.ptp(picture.astype(int), axis=2) > 60).sum())


def screenshot(display: str, folder: Path) -> np.ndarray:
    file = folder / "screen.bmp"
    environment = {**os.environ, "DISPLAY": display}
    subprocess.run(["import", "-window", "root", str(file)], env=environment, check=True)
    return cv2.imread(str(file))


def best_match(picture: np.ndarray, part: np.ndarray) -> float:
    return float(cv2.matchTemplate(picture, part, cv2.TM_CCOEFF_NORMED).max())
