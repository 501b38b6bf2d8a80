"""What moves by itself, as indexed PNG: the label of each pixel's object, as DAVIS stores its annotations."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from PIL import Image

from sinks.writing.folder import Folder
from streamflow.stages import Stage

if TYPE_CHECKING:
    from sinks import Run
    from streamflow.values import Result

COLOURS = 255  # of the palette beside the background's; labels beyond begin again at 1
FACTS = {"quantity": "label of the object, its colour in the palette", "unit": "none", "invalid": "0: none"}


class MaskSink:
    """Writes `DIR/frame_000012.png`, 0 where nothing moves by itself; labels stand in the manifest."""

    needs: ClassVar[frozenset[Stage]] = frozenset({Stage.MOVING})

    def __init__(self, target: str, run: Run) -> None:
        self._folder = Folder(target, run, "mask", ".png")

    def write(self, result: Result) -> None:
        """Write the picture of one pair."""
        assert result.objects is not None
        labels = np.zeros(result.pair.reference.image.shape[:2], np.uint8)
        for part in result.objects:
            labels[part.mask] = (part.label - 1) % COLOURS + 1
        picture = Image.fromarray(labels, "P")
        picture.putpalette(_palette())
        data = BytesIO()
        picture.save(data, "PNG")
        self._folder.add(result, data.getbuffer(), FACTS, labels=[part.label for part in result.objects])

    def close(self) -> None:
        """Close the manifest."""
        self._folder.close()


def _palette() -> list[int]:
    """RGB of the 256 labels: their bits, lowest first, dealt to the highest bits of red, green and blue."""
    bits = np.arange(256)[:, None] >> np.arange(9) & 1
    worth = 128 >> np.arange(3)
    return [int(value) for value in (bits.reshape(256, 3, 3) * worth[:, None]).sum(axis=1).ravel()]
