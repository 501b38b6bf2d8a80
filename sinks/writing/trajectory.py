"""The whole run in one plot: the epipole, the camera's turning, its path from above and its heading."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

import cv2
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from streamflow.geometry.epipole import pixel

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from streamflow.values import Image, Matrix, Result

AXES = ("x (pitch)", "y (yaw)", "z (roll)")
COLUMNS = 9  # time, epipole x, y, rotation about x, y, z, position x, z, heading
NAN = float("nan")


class Trajectory:
    """Collects the camera's motion of every pair; what is not known leaves a gap in the curves."""

    def __init__(self) -> None:
        self._rows = array("d")  # small, for a run may be long
        self._time_unit, self._length_unit, self._size = "frame", "steps", (0, 0)

    def add(self, result: Result) -> None:
        """Take one pair in; without a motion there is nothing to plot."""
        motion, frame = result.motion, result.pair.newest
        if motion is None:
            return
        self._size = frame.size
        self._time_unit = "frame" if frame.time is None else "s"
        self._length_unit = result.depth.unit if result.depth is not None else "steps"
        time = float(frame.index if frame.time is None else frame.time)
        if result.starts_segment is not None and self._rows:  # the curves do not go on over a cut
            self._rows.extend([time, *[NAN] * (COLUMNS - 1)])
        epipole = None if motion.translation is None else motion.translation.epipole
        point = None if epipole is None else pixel(epipole, result.camera_matrix)
        self._rows.extend([time, *((NAN, NAN) if point is None else point)])
        turn = (NAN,) * 3 if motion.rotation is None else np.degrees(cv2.Rodrigues(motion.rotation)[0])
        self._rows.extend(np.ravel(turn))
        self._rows.extend(_from_above(result.pose))

    def draw(self) -> Image | None:
        """Return the plot, (H, W, 3) uint8 BGR; None when no pair had a motion."""
        if not self._rows:
            return None
        times, x, y, *turns, across, ahead, heading = np.reshape(self._rows, (-1, COLUMNS)).T
        rows = 2 if np.isfinite(ahead).any() else 1
        figure = Figure(figsize=(12, 5 * rows), dpi=100, layout="constrained")
        canvas = FigureCanvasAgg(figure)
        axes = figure.subplots(rows, 2).ravel()
        self._draw_epipole(axes[0], times, x, y)
        for name, degrees in zip(AXES, turns, strict=True):
            axes[1].plot(times, degrees, label=name, linewidth=1)
        axes[1].set(ylabel="rotation (deg/frame)", title="rotation")
        axes[1].legend()
        if rows == 2:
            self._draw_path(axes[2], times, across, ahead)
            axes[3].plot(times, heading, linewidth=1)
            axes[3].set(ylabel="heading (deg, to the right)", title="heading")
        for plot in axes[1::2]:
            plot.set_xlabel(f"time ({self._time_unit})")
        canvas.draw()
        return np.asarray(cv2.cvtColor(np.asarray(canvas.buffer_rgba()), cv2.COLOR_RGBA2BGR), np.uint8)

    def _draw_epipole(self, axes: Axes, times: Matrix, x: Matrix, y: Matrix) -> None:
        width, height = self._size
        _dotted(axes, times, x, y, f"time ({self._time_unit})")
        axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5), aspect="equal", title="epipole")
        axes.set(xlabel="x (px)", ylabel="y (px)")

    def _draw_path(self, axes: Axes, times: Matrix, across: Matrix, ahead: Matrix) -> None:
        _dotted(axes, times, across, ahead, f"time ({self._time_unit})")
        axes.axis("equal")
        axes.set(title="path from above", xlabel=f"x, right ({self._length_unit})")
        axes.set_ylabel(f"z, ahead ({self._length_unit})")


def _dotted(axes: Axes, times: Matrix, x: Matrix, y: Matrix, label: str) -> None:
    """A thin line through dots, coloured by time."""
    axes.plot(x, y, color="0.7", linewidth=0.8)
    marks = axes.scatter(x, y, c=times, s=12, cmap="viridis")
    axes.figure.colorbar(marks, ax=axes, label=label, shrink=0.8)


def _from_above(pose: Matrix | None) -> tuple[float, float, float]:
    """Right and ahead of the first camera, and the heading in degrees to its right."""
    if pose is None:
        return NAN, NAN, NAN
    return float(pose[0, 3]), float(pose[2, 3]), float(np.degrees(np.arctan2(pose[0, 2], pose[2, 2])))
