"""A mask that the user gives: what of the picture is not the scene."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from zlib import crc32

import cv2
import numpy as np

from streamflow.errors import UsageError
from streamflow.values import Mask

SHAPE_TOLERANCE = 0.01  # of the aspect ratio


@dataclass(frozen=True, eq=False)
class PictureMask:
    """What is not looked at in any picture of the stream."""

    excluded: Mask  # (H, W)
    name: str = "mask"

    @cached_property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.excluded.shape[1], self.excluded.shape[0]

    def as_plain(self) -> dict[str, object]:
        """Return what tells it from another as words and numbers that JSON knows."""
        return {"name": self.name, "size": self.size, "crc32": crc32(np.packbits(self.excluded).data)}

    def fitted_to(self, size: tuple[int, int]) -> Mask:
        """Return the mask for pictures of another size.

        Raises
        ------
        UsageError
            They are of another shape.
        """
        if size == self.size:
            return self.excluded
        if abs(size[0] * self.size[1] / (size[1] * self.size[0]) - 1) > SHAPE_TOLERANCE:
            raise UsageError(
                "`mask` {} is {}x{}, but the pictures are {}x{}: draw it on one of them".format(
                    self.name, *self.size, *size
                )
            )
        scaled = cv2.resize(self.excluded.view(np.uint8), size, interpolation=cv2.INTER_NEAREST)
        return np.asarray(scaled, np.uint8).view(np.bool_)
