"""A live window."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import cv2

from sinks.writing.display import check_display
from sinks.writing.files import write_whole
from streamflow.draw.views import ALL_VIEWS, available
from streamflow.errors import SinkError, StopStreaming

if TYPE_CHECKING:
    from sinks import Run
    from streamflow.stages import Stage
    from streamflow.values import Image, Result

KEYS = "q quit   space pause   + - threshold   v view   s save"
WAIT = 1  # milliseconds for the window's events, per picture
PAUSED = 50


class WindowSink:
    """Shows the painter's picture of every pair, and obeys the keys in `KEYS`.

    Everything a window does must happen in one thread, on some systems the main one.
    """

    needs: ClassVar[frozenset[Stage]] = frozenset()

    def __init__(self, target: str, run: Run) -> None:
        check_display()
        self._run = run
        self._painter = run.painter
        self._name = f"streamflow: {run.source.name}"
        self._title = ""
        self._open = False
        self._paused = False

    def write(self, result: Result) -> None:
        """Show one result; wait while paused."""
        self._show(result)
        self._obey(cv2.waitKeyEx(WAIT), result)
        while self._paused and not self._run.knobs.stopping:
            self._obey(cv2.waitKeyEx(PAUSED), result)

    def close(self) -> None:
        """Take the window away."""
        if self._open:
            self._open = False
            if self._is_visible():
                cv2.destroyWindow(self._name)

    def _show(self, result: Result) -> Image:
        picture = self._painter.draw(result)
        try:
            if not self._open:
                self._open_window(picture)
            cv2.imshow(self._name, picture)
        except cv2.error as error:
            raise SinkError(
                f"window: {error.err}; is this the headless opencv? install opencv-python"
            ) from error
        self._update_title()
        return picture

    def _open_window(self, picture: Image) -> None:
        cv2.namedWindow(self._name, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
        cv2.resizeWindow(self._name, picture.shape[1], picture.shape[0])
        self._open = True

    def _update_title(self) -> None:
        pause = "paused   " if self._paused else ""
        threshold = self._run.knobs.threshmin
        title = f"{self._name}   {pause}{self._painter.view}   threshmin {threshold:g}   ({KEYS})"
        if title != self._title:
            cv2.setWindowTitle(self._name, title)
            self._title = title

    def _obey(self, key: int, result: Result) -> None:
        if not self._is_visible():
            raise StopStreaming("the window was closed")
        match chr(key & 0xFF) if key >= 0 else "":
            case "q" | "\x1b":
                raise StopStreaming("q was pressed")
            case " ":
                self._paused = not self._paused
                self._update_title()
            case "+" | "=":
                self._turn_threshold(+1)
            case "-":
                self._turn_threshold(-1)
            case "v":
                self._next_view(result)
                self._show(result)
            case "s":
                self._save(result)

    def _is_visible(self) -> bool:
        try:
            return cv2.getWindowProperty(self._name, cv2.WND_PROP_VISIBLE) > 0
        except cv2.error:  # Qt's way to say that the window was closed
            return False

    def _turn_threshold(self, step: int) -> None:
        self._run.knobs.threshmin = max(0.0, self._run.knobs.threshmin + step)
        self._update_title()

    def _next_view(self, result: Result) -> None:
        """Change the view of this window only: the other outputs keep the painter they share."""
        shared = self._run.painter
        if self._painter is shared:
            self._painter = shared.copy()
        views = [ALL_VIEWS, *available(result)]
        after = views.index(self._painter.view) + 1 if self._painter.view in views else 0
        self._painter.view = views[after % len(views)]

    def _save(self, result: Result) -> None:
        """Save what is shown in the current folder, under a name that is not taken."""
        stem = f"{self._run.source.stem}_{result.pair.newest.index:06d}_{self._painter.view}"
        names = (Path(f"{stem}{number or ''}.png") for number in count())
        path = next(path for path in names if not path.exists())
        write_whole(path, cv2.imencode(".png", self._painter.draw(result))[1].data)
