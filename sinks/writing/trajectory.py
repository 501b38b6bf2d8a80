"""The whole run in one plot: where the epipole went, and how the camera turned."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

import cv2
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from streamflow.geometry.epipole import pixel

if TYPE_CHECKING:
    from streamflow.values import Image, Result

AXES = ("x (pitch)", "y (yaw)", "z (roll)")
UNKNOWN = (np.nan, np.nan, np.nan)


class Trajectory:
    """Collects the camera's motion of every pair; what is not known leaves a gap in the curves."""

    def __init__(self) -> None:
        self._rows = array("d")  # time, epipole x, y, rotation about x, y, z: small, for a run may be long
        self._unit, self._size = "frame", (0, 0)

    def add(self, result: Result) -> None:
        """Take one pair in; without a motion there is nothing to plot."""
        motion, frame = result.motion, result.pair.newest
        if motion is None:
            return
        self._size = frame.size
        self._unit = "frame" if frame.time is None else "s"
        self._rows.append(float(frame.index if frame.time is None else frame.time))
        point = (
            None if motion.translation is None else pixel(motion.translation.epipole, result.camera_matrix)
        )
        self._rows.extend(UNKNOWN[:2] if point is None else point)
        turn = UNKNOWN if motion.rotation is None else np.degrees(cv2.Rodrigues(motion.rotation)[0])
        self._rows.extend(np.ravel(turn))

    def draw(self) -> Image | None:
        """Return the plot, (H, W, 3) uint8 BGR; None when no pair had a motion."""
        if not self._rows:
            return None
        times, x, y, *turns = np.reshape(self._rows, (-1, 6)).T
        figure = Figure(figsize=(12, 5), dpi=100, layout="constrained")
        canvas = FigureCanvasAgg(figure)
        image, turning = figure.subplots(1, 2)
        image.plot(x, y, color="0.7", linewidth=0.8)
        marks = image.scatter(x, y, c=times, s=12, cmap="viridis")
        width, height = self._size
        image.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5), aspect="equal", title="epipole")
        image.set(xlabel="x (px)", ylabel="y (px)")
        figure.colorbar(marks, ax=image, label=f"time ({self._unit})", shrink=0.8)
        for name, degrees in zip(AXES, turns, strict=True):
            turning.plot(times, degrees, label=name, linewidth=1)
        turning.set(xlabel=f"time ({self._unit})", ylabel="rotation (deg/frame)", title="rotation")
        turning.legend()
        canvas.draw()
        return np.asarray(cv2.cvtColor(np.asarray(canvas.buffer_rgba()), cv2.COLOR_RGBA2BGR), np.uint8)
