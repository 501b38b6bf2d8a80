"""A live window."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar

import cv2

from sinks.writing.display import check_display, screen_size
from sinks.writing.pace import Pace
from sinks.writing.viewer import Viewer
from streamflow.errors import SinkError, StopStreaming

if TYPE_CHECKING:
    from sinks import Run
    from streamflow.stages import Stage
    from streamflow.values import Image, Result

KEYS = (
    "q  quit",
    "space  pause, go on",
    ".  one step",
    "+ -  threshold of smin",
    "v  next view",
    "s  save the picture",
    "h  these keys",
)
KEYS_SECONDS = 6.0
WAIT = 1  # milliseconds for the window's events, per picture
PAUSED = 50
SCREEN_SHARE = 0.9  # of the screen that a window takes at most, as there are bars and borders


class WindowSink:
    """Shows the painter's picture of every pair, and obeys the keys in `KEYS`.

    Everything a window does must happen in one thread, on some systems the main one.
    """

    needs: ClassVar[frozenset[Stage]] = frozenset()

    def __init__(self, target: str, run: Run) -> None:
        check_display()
        self._run = run
        self._viewer = Viewer(run)
        self._pace = Pace(run)
        self._name = f"streamflow: {run.source.name}"
        self._title = ""
        self._open = False

    def write(self, result: Result) -> None:
        """Show one result; wait while paused, and until it is time for the next."""
        self._viewer.stepping = False
        ends = time.monotonic() + self._pace.seconds_until(result.pair.reference)
        self._show(result)
        self._obey(cv2.waitKeyEx(WAIT), result)
        while self._viewer.waits or time.monotonic() < ends:
            rest = PAUSED if self._viewer.waits else 1000 * (ends - time.monotonic())
            self._obey(cv2.waitKeyEx(min(PAUSED, max(WAIT, round(rest)))), result)
            if self._run.knobs.stopping:
                return

    def close(self) -> None:
        """Take the window away."""
        if self._open:
            self._open = False
            if self._is_visible():
                cv2.destroyWindow(self._name)

    def _show(self, result: Result) -> None:
        picture = self._viewer.picture(result)
        try:
            if not self._open:
                self._open_window(picture)
            cv2.imshow(self._name, picture)
        except cv2.error as error:
            raise SinkError(
                f"window: {error.err}; is this the headless opencv? install opencv-python"
            ) from error
        self._update_title()

    def _open_window(self, picture: Image) -> None:
        cv2.namedWindow(self._name, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
        cv2.resizeWindow(self._name, *fitted_size(picture, screen_size()))
        self._open = True

    def _update_title(self) -> None:
        pause = "paused   " if self._viewer.paused else ""
        threshold = self._run.knobs.threshmin
        title = f"{self._name}   {pause}{self._viewer.view}   threshmin {threshold:g}   (h: keys)"
        if title != self._title:
            cv2.setWindowTitle(self._name, title)
            self._title = title

    def _obey(self, key: int, result: Result) -> None:
        if not self._is_visible():
            raise StopStreaming("the window was closed")
        viewer = self._viewer
        match chr(key & 0xFF) if key >= 0 else "":
            case "q" | "\x1b":
                raise StopStreaming("q was pressed")
            case " ":
                viewer.pause()
            case ".":
                viewer.step()
            case "+" | "=":
                viewer.turn_threshold(+1)
            case "-":
                viewer.turn_threshold(-1)
            case "v":
                viewer.next_view(result)
            case "s":
                viewer.save(result)
            case "h":
                viewer.tell(*KEYS, seconds=KEYS_SECONDS)
            case _:
                if not viewer.notice_is_over:
                    return
        self._show(result)

    def _is_visible(self) -> bool:
        try:
            return cv2.getWindowProperty(self._name, cv2.WND_PROP_VISIBLE) > 0
        except cv2.error:  # Qt's way to say that the window was closed
            return False


def fitted_size(picture: Image, screen: tuple[int, int] | None) -> tuple[int, int]:
    """(width, height) of a window that shows the whole picture on the screen."""
    height, width = picture.shape[:2]
    if screen is None:
        return width, height
    scale = min(1.0, SCREEN_SHARE * screen[0] / width, SCREEN_SHARE * screen[1] / height)
    return round(scale * width), round(scale * height)
