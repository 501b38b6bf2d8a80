"""Whether there is a screen to show a window on."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from streamflow.errors import SinkError


def check_display() -> None:
    """Raise `SinkError` unless a window can be opened.

    OpenCV's window library ends the whole process when it cannot reach the X server, and nothing can
    catch that: so ask the server first, the way that library would.
    """
    if not sys.platform.startswith("linux"):
        return
    display = os.environ.get("DISPLAY")
    if not display:
        raise SinkError("window: no display (DISPLAY is not set); write a file instead, such as -o out.mp4")
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError as error:
        raise SinkError("window: libxcb.so.1 is missing; install libsm6 and libxext6") from error
    if not _answers(xcb):
        raise SinkError(
            f"window: display {display} does not answer; write a file instead, such as -o out.mp4"
        )


class Screen(ctypes.Structure):
    """The beginning of xcb_screen_t, as far as its size in pixels."""

    _fields_ = (
        ("root", ctypes.c_uint32),
        ("colours", ctypes.c_uint32 * 4),
        ("width", ctypes.c_uint16),
        ("height", ctypes.c_uint16),
    )


class ScreenIterator(ctypes.Structure):
    """xcb_screen_iterator_t."""

    _fields_ = (("data", ctypes.POINTER(Screen)), ("rem", ctypes.c_int), ("index", ctypes.c_int))


def screen_size() -> tuple[int, int] | None:
    """(width, height) of the screen in pixels; None where that cannot be asked."""
    if not sys.platform.startswith("linux"):
        return None
    xcb = ctypes.CDLL("libxcb.so.1")
    xcb.xcb_get_setup.argtypes, xcb.xcb_get_setup.restype = [ctypes.c_void_p], ctypes.c_void_p
    xcb.xcb_setup_roots_iterator.argtypes = [ctypes.c_void_p]
    xcb.xcb_setup_roots_iterator.restype = ScreenIterator
    with _connection(xcb) as connection:
        if xcb.xcb_connection_has_error(connection):
            return None
        screen = xcb.xcb_setup_roots_iterator(xcb.xcb_get_setup(connection)).data.contents
        return screen.width, screen.height


def _answers(xcb: ctypes.CDLL) -> bool:
    with _connection(xcb) as connection:
        return not xcb.xcb_connection_has_error(connection)


@contextmanager
def _connection(xcb: ctypes.CDLL) -> Iterator[int]:
    xcb.xcb_connect.argtypes = [ctypes.c_char_p, ctypes.POINTER(ctypes.c_int)]
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_connection_has_error.argtypes = [ctypes.c_void_p]
    xcb.xcb_disconnect.argtypes = [ctypes.c_void_p]
    connection = xcb.xcb_connect(None, None)  # never NULL, even when it failed
    try:
        yield connection
    finally:
        xcb.xcb_disconnect(connection)
