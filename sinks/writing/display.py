"""Whether there is a screen to show a window on."""

from __future__ import annotations

import ctypes
import os
import sys

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


def _answers(xcb: ctypes.CDLL) -> bool:
    xcb.xcb_connect.argtypes = [ctypes.c_char_p, ctypes.POINTER(ctypes.c_int)]
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_connection_has_error.argtypes = [ctypes.c_void_p]
    xcb.xcb_disconnect.argtypes = [ctypes.c_void_p]
    connection = xcb.xcb_connect(None, None)  # never NULL, even when it failed
    try:
        return not xcb.xcb_connection_has_error(connection)
    finally:
        xcb.xcb_disconnect(connection)
