"""What to read of a source, and how: each default is said here, once."""

from __future__ import annotations

from dataclasses import dataclass, fields
from fractions import Fraction
from typing import Any

from streamflow.errors import UsageError

FASTEST = 100_000  # frames a second


@dataclass(frozen=True)
class SourceOptions:
    """The part of a stream to read and the form its pictures take.

    Times and rates may be any numbers, such as 29.97; `size` may be a width alone.
    """

    # Of any source
    start: Fraction | None = None  # seconds after the stream's first frame
    end: Fraction | None = None  # seconds after the stream's first frame; what is shown then is left out
    every: int = 1  # take one frame of so many
    frames: int | None = None  # take so many frames at most
    view360: tuple[float, float, float] | None = None  # (yaw, pitch, field of view) to cut out, degrees
    rotate: int = 0  # degrees clockwise, a multiple of 90
    crop: tuple[int, int, int, int] | None = None  # (x, y, width, height) in pixels of the frames once turned
    size: int | tuple[int, int | None] | None = None  # width of the frames, or width and height

    # Only of sources whose adapter takes a parameter of this name
    fps: Fraction | None = None  # frames a second of a source without a clock; what to ask a webcam for
    every_frame: bool = False  # live: never drop a frame, let the camera wait instead
    levels: tuple[float, float] | None = None  # values that become black and white, of deep pictures

    def __post_init__(self) -> None:
        """Make numbers exact, and refuse what makes no sense."""
        for name in ("start", "end", "fps"):
            if (value := getattr(self, name)) is not None:
                object.__setattr__(self, name, _exact(name, value))
        if isinstance(self.size, int):
            object.__setattr__(self, "size", (self.size, None))
        if isinstance(self.size, tuple) and min(side for side in self.size if side is not None) < 1:
            raise UsageError("`size`: the width and height of a picture are at least 1")
        if self.end is not None and self.end <= (self.start or 0):
            raise UsageError("`end` must come after `start`")
        if self.fps is not None and not 0 < self.fps <= FASTEST:
            raise UsageError(f"`fps` must be above 0 and at most {FASTEST}")
        if self.every < 1 or (self.frames is not None and self.frames < 2):
            raise UsageError("`every` must be at least 1, and `frames` at least 2: a pair")
        if self.view360 is not None and not (abs(self.view360[1]) <= 90 and 10 <= self.view360[2] <= 150):
            raise UsageError(
                "`view360`: the pitch is from -90 to 90 degrees, the field of view from 10 to 150"
            )
        if self.rotate % 90:
            raise UsageError(f"`rotate` {self.rotate}: pictures are turned by 90, 180 or 270 degrees")
        if self.levels is not None and not self.levels[0] < self.levels[1]:
            raise UsageError("`levels`: the value for black must be below the value for white")

    def asked(self) -> dict[str, Any]:
        """Options that differ from their default."""
        return {
            field.name: value
            for field in fields(self)
            if (value := getattr(self, field.name)) != field.default
        }


RESHAPING = frozenset({"rotate", "crop", "size"})
SELECTING = frozenset({"start", "end", "every", "frames"})
OF_ANY_SOURCE = SELECTING | RESHAPING | {"view360"}

# Who can use the others, for the message to those who cannot.
USERS = {
    "fps": "image folders, streams without a clock and webcams",
    "every_frame": "cameras",
    "levels": "images, video files and bags",
}


def _exact(name: str, value: object) -> Fraction:
    try:
        return Fraction(str(value))  # 29.97 is 2997/100, not the nearest binary number
    except (ValueError, ZeroDivisionError):
        raise UsageError(f"{name}: {value!r} is not a number") from None
