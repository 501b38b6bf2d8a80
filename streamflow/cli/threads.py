"""How many threads a run may use."""

from __future__ import annotations

import cv2

from streamflow.compiling import cores


def allowed_threads(asked: int | None) -> int:
    """Return how many: one a core, unless somebody asked for another number; OpenCV keeps to it, too."""
    count = asked or cores()
    cv2.setNumThreads(count)
    return count
