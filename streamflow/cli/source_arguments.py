"""The part of the command line that says what to read of a source, and how."""

from __future__ import annotations

import argparse
from dataclasses import fields
from fractions import Fraction
from typing import Any

from sources.options import SourceOptions


def add_source_options(parser: argparse._ArgumentGroup) -> None:
    """Add the options that `SourceOptions` holds."""
    default = SourceOptions()
    add = parser.add_argument
    add("--start", type=_time, metavar="T", help="begin T after the first frame: seconds, or [h:]m:s")
    add("--end", type=_time, metavar="T", help="end T after the first frame")
    add("--every", type=int, default=default.every, metavar="N", help="take one frame of N")
    add("--frames", type=int, metavar="N", help="take N frames at most")
    add("--view360", type=_view, metavar="YAW,PITCH,FOV",
        help="of 360-degree pictures: look so many degrees to the right and up, and so wide "
             "(--view360=-90,0,90 to the left)")  # fmt: skip
    add("--crop", type=rectangle, metavar="x,y,w,h",
        help="a part of the pictures, in their own pixels; the camera matrix follows")  # fmt: skip
    add("--size", type=_size, metavar="W[xH]", help="scale the pictures; the camera matrix follows")
    add("--rotate", type=int, default=default.rotate, metavar="DEG",
        help="turn the pictures clockwise, by 90, 180 or 270 degrees")  # fmt: skip
    add("--fps", type=_number, metavar="RATE",
        help="frames a second of what has no clock, such as images; what to ask a webcam for")  # fmt: skip
    add("--levels", type=_levels, metavar="LOW:HIGH",
        help="values of deep pictures that become black and white (default: from a sample)")  # fmt: skip
    add("--join", action="store_true",
        help="all SOURCEs are one video; of a GoPro's chapters the first is enough")  # fmt: skip
    add("--every-frame", action="store_true", help="cameras: never drop a frame, rather lag behind")


def source_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the part of the command line that `open_source` reads."""
    return {field.name: getattr(arguments, field.name) for field in fields(SourceOptions)}


def rectangle(text: str) -> tuple[int, int, int, int]:
    """Four whole numbers of pixels."""
    try:
        x, y, width, height = (int(word) for word in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is not x,y,width,height in pixels") from None
    return x, y, width, height


def _view(text: str) -> tuple[float, float, float]:
    try:
        yaw, pitch, fov = (float(word) for word in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is not YAW,PITCH,FOV in degrees") from None
    return yaw, pitch, fov


def _time(text: str) -> Fraction:
    """Exact seconds: 90, 90.5, 1:30, 0:01:30.5."""
    seconds = Fraction(0)
    for part in text.split(":"):
        seconds = 60 * seconds + _number(part)
    if seconds < 0 or text.count(":") > 2:
        raise argparse.ArgumentTypeError(f"{text} is not a time: seconds, m:s or h:m:s")
    return seconds


def _number(text: str) -> Fraction:
    """Exact: 30000/1001, 29.97 or 25."""
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise argparse.ArgumentTypeError(f"{text} is not a number") from None


def _size(text: str) -> tuple[int, int | None]:
    words = text.split("x")
    if not all(word.isdecimal() and int(word) > 0 for word in words) or len(words) > 2:
        raise argparse.ArgumentTypeError(f"{text} is not WIDTH or WIDTHxHEIGHT in pixels")
    return int(words[0]), int(words[1]) if len(words) == 2 else None


def _levels(text: str) -> tuple[float, float]:
    try:
        low, high = (float(word) for word in text.split(":"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is not LOW:HIGH") from None
    return low, high
