"""Webcams, through OpenCV."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from sources.reading.live import GIVE_UP, Capture, Disconnected, LiveSource
from sources.reading.quiet import quiet_opencv


class CameraSource(LiveSource):
    """A webcam; frames are stamped on arrival.

    Parameters
    ----------
    spec : str
        Its number, or the path of its device.
    fps : Fraction, optional
        Rate to ask the camera for; it may have others only.
    size : tuple of int, optional
        (width, height) to ask the camera for; height None: in proportion to 4:3.
    every_frame : bool
        Make the camera wait instead of dropping frames.
    """

    def __init__(
        self,
        spec: str,
        *,
        fps: Fraction | None = None,
        size: tuple[int, int | None] | None = None,
        every_frame: bool = False,
        give_up: float = GIVE_UP,
    ) -> None:
        super().__init__(
            f"camera {spec}",
            f"camera_{Path(spec).stem}",
            lambda: Webcam(spec, fps, size),
            every_frame=every_frame,
            give_up=give_up,
        )


class Webcam:
    """One connection to a webcam."""

    live = True

    def __init__(
        self, device: str, fps: Fraction | None = None, size: tuple[int, int | None] | None = None
    ) -> None:
        with quiet_opencv():
            self._capture = cv2.VideoCapture(device_number(device))
        if not self._capture.isOpened():
            raise Disconnected("cannot be opened; is it plugged in, and free?")
        if size is not None:
            self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, size[0])
            self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, size[1] or size[0] * 3 // 4)
        if fps is not None:
            self._capture.set(cv2.CAP_PROP_FPS, float(fps))
        rate = self._capture.get(cv2.CAP_PROP_FPS)
        self.rate = Fraction(rate).limit_denominator(1001) if rate > 0 else None

    def __iter__(self) -> Iterator[Capture]:
        while True:
            ok, image = self._capture.read()
            if not ok:
                raise Disconnected("gives no more frames")
            yield Capture(np.asarray(image, np.uint8))

    def close(self) -> None:
        """Free the device."""
        self._capture.release()


def device_number(device: str) -> int | str:
    """The number of a camera named by number or device, /dev/v4l/by-id/... included."""
    found = re.fullmatch(r"(?:/dev/video)?(\d+)", device if device.isdecimal() else os.path.realpath(device))
    return int(found[1]) if found else device
