"""Which sizes and rates the webcams of a Linux machine have, as their drivers list them."""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

Ask = Callable[[int, int, bytes], bytes]  # descriptor, request, structure -> the structure filled in

# Requests of linux/videodev2.h, and the structures they fill in.
CAPABILITY = 0x80685600, struct.Struct("16s 32s 32s 6I")
FORMATS = 0xC0405602, struct.Struct("3I 32s 5I")
SIZES = 0xC02C564A, struct.Struct("11I")
INTERVALS = 0xC034564B, struct.Struct("13I")
CAPTURES = DISCRETE = 1


def webcams(ask: Ask, devices: list[Path]) -> dict[str, str]:
    """Return what each of the devices that are cameras has, in words."""
    found = {}
    for device in devices:
        try:
            with device.open("rb", buffering=0) as file:
                said = described(ask, file.fileno())
        except OSError as error:
            said = error.strerror or "cannot be opened"
        if said:
            found[str(device)] = said
    return found


def described(ask: Ask, camera: int) -> str:
    """Name, sizes and rates; nothing of a device that gives no pictures, such as one for metadata."""
    capability = CAPABILITY[1].unpack(ask(camera, CAPABILITY[0], bytes(CAPABILITY[1].size)))
    if not capability[5] & CAPTURES:
        return ""
    rates: dict[tuple[int, int], set[float]] = defaultdict(set)
    for pixels in (
        form[4] for form in _listed(ask, camera, FORMATS, lambda i: (i, CAPTURES, 0, b"", *[0] * 5))
    ):
        for size in _sizes(ask, camera, pixels):
            rates[size].update(_rates(ask, camera, pixels, size))
    name = capability[1].partition(b"\0")[0].decode(errors="replace")
    modes = [
        f"{width}x{height} at {', '.join(f'{rate:.4g}' for rate in sorted(rates[width, height]))}"
        for width, height in sorted(rates)
    ]
    return "; ".join([name, *modes])


def _sizes(ask: Ask, camera: int, pixels: int) -> Iterator[tuple[int, int]]:
    """(width, height) in which the camera gives pixels of a format, where it lists them one by one."""
    for _, _, kind, width, height, *_ in _listed(ask, camera, SIZES, lambda i: (i, pixels, *[0] * 9)):
        if kind == DISCRETE:
            yield width, height


def _rates(ask: Ask, camera: int, pixels: int, size: tuple[int, int]) -> Iterator[float]:
    """Frames a second at that size."""
    for found in _listed(ask, camera, INTERVALS, lambda i: (i, pixels, *size, *[0] * 9)):
        kind, numerator, denominator = found[4:7]
        if kind == DISCRETE and numerator:
            yield denominator / numerator


def _listed(
    ask: Ask, camera: int, about: tuple[int, struct.Struct], question: Callable[[int], tuple[Any, ...]]
) -> Iterator[tuple[Any, ...]]:
    """Structures that the driver fills in, for 0, 1, ... until it knows no more."""
    request, form = about
    for i in count():
        try:
            yield form.unpack(ask(camera, request, form.pack(*question(i))))
        except OSError:
            return
