"""Plots with axes and colour bars."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import cv2
import numpy as np
from matplotlib import colormaps
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from sinks.writing.files import faults_of, write_whole
from sinks.writing.folder import Folder
from sinks.writing.trajectory import Trajectory
from streamflow.draw.panel import Style
from streamflow.draw.ranges import AdaptiveRange, inverse_limits
from streamflow.geometry.epipole import pixel

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sinks import Run
    from streamflow.options import Knobs
    from streamflow.stages import Stage
    from streamflow.values import Flow, Image, Result

PANEL_INCHES = 7.0  # width, at 100 dots an inch
ARROWS = 32  # across the image
PALE = -200  # grey level drawn black: the image is the background of the arrows
LARGEST_SIGMA = 1.0  # pixels, the top of the colour bar
FACTS = {"quantity": "plots of the flow over the image, and of inverse depth", "unit": "on the axes"}


class FlowPlot:
    """The image with arrows, coloured by their predicted error, and the smoothed epipole."""

    def __init__(self, axes: Axes, result: Result, knobs: Knobs) -> None:
        height, width = result.pair.reference.image.shape[:2]
        step = max(1, width // ARROWS)
        self._knobs = knobs
        self._axes = axes
        self._step = step
        self._grid = np.s_[step // 2 : height : step, step // 2 : width : step]
        y, x = np.mgrid[self._grid]
        self._image = axes.imshow(np.zeros((height, width), np.uint8), cmap="gray", vmin=PALE, vmax=255)
        self._arrows = axes.quiver(
            x, y, x * 0.0, y * 0.0, x * 0.0,
            angles="xy", scale_units="xy", scale=1, width=0.0025, cmap="plasma", clim=(0, LARGEST_SIGMA),
        )  # fmt: skip
        (self._epipole,) = axes.plot([], [], "+", color="cyan", markersize=16, markeredgewidth=2.5)
        axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5), xlabel="x (px)", ylabel="y (px)")
        bar = axes.figure.colorbar(self._arrows, ax=axes, extend="max", shrink=0.8)
        bar.set_label("predicted error of the flow (px)")

    def update(self, result: Result) -> None:
        """Show another result."""
        self._image.set_data(result.pair.reference.grey)
        magnified = self._set_arrows(result.flow, result.pair.forward) if result.flow is not None else 1.0
        self._epipole.set_data(*_finite_epipole(result))
        self._axes.set_title(f"{_title(result)}\narrows {magnified:g} times as long as the motion")

    def _set_arrows(self, flow: Flow, forward: bool) -> float:
        """Point the arrows from the past to the future; return how much longer than the motion they are."""
        vectors, sigma, smin = flow.vectors[self._grid], flow.sigma[self._grid], flow.smin[self._grid]
        vectors = vectors if forward else -vectors
        weak = ~((smin >= self._knobs.threshmin) & np.isfinite(vectors).all(axis=2) & np.isfinite(sigma))
        speed = np.hypot(*np.moveaxis(vectors, 2, 0))[~weak]
        fastest = float(np.percentile(speed, 95)) if speed.size else 1.0
        magnified = float(2.0 ** np.floor(np.log2(2 * self._step / max(fastest, 1e-3))))
        self._arrows.scale = 1 / magnified
        self._arrows.set_UVC(
            *(np.ma.array(values, mask=weak) for values in (*np.moveaxis(vectors, 2, 0), sigma))
        )
        return magnified


class DepthPlot:
    """Inverse depth; what is unknown is grey."""

    def __init__(self, axes: Axes, result: Result, style: Style) -> None:
        assert result.depth is not None
        self._axes = axes
        self._range = AdaptiveRange(inverse_limits(style.limits))
        colours = colormaps[style.colours].with_extremes(bad="black" if style.colours == "grey" else "0.5")
        self._image = axes.imshow(result.depth.inverse, cmap=colours, interpolation="nearest")
        axes.set(xlabel="x (px)", ylabel="y (px)")
        unit = {"steps": "camera steps"}.get(result.depth.unit, result.depth.unit)
        bar = axes.figure.colorbar(self._image, ax=axes, extend="both", shrink=0.8)
        bar.set_label(f"inverse depth (1 / {unit})")

    def update(self, result: Result) -> None:
        """Show another result."""
        assert result.depth is not None
        inverse = result.depth.inverse
        self._image.set_data(np.ma.masked_invalid(inverse))
        self._image.set_clim(*self._range.update(inverse))
        self._axes.set_title(f"depth known for {np.isfinite(inverse).mean():.0%} of the pixels")


class FigureSink:
    """Writes `DIR/frame_000012.png`, one figure drawn again and again, and last `DIR/trajectory.png`."""

    needs: ClassVar[frozenset[Stage]] = frozenset()

    def __init__(self, target: str, run: Run) -> None:
        self._knobs, self._style = run.knobs, run.painter.style
        self._path = Path(target)
        self._folder = Folder(target, run, "figure", ".png")
        self._trajectory = Trajectory()
        self._canvas: FigureCanvasAgg | None = None
        self._plots: list[FlowPlot | DepthPlot] = []

    def write(self, result: Result) -> None:
        """Draw and write the figure of one pair."""
        self._trajectory.add(result)
        canvas = self._canvas or self._build(result)
        for plot in self._plots:
            plot.update(result)
        canvas.draw()
        canvas.figure.set_layout_engine("none")  # once the labels have found their places, they keep them
        self._folder.add(result, cv2.imencode(".png", _picture(canvas))[1].data, FACTS)

    def close(self) -> None:
        """Draw the whole run, and close the manifest."""
        plot = self._trajectory.draw()
        if plot is not None:
            with faults_of(self._path):
                write_whole(self._path / "trajectory.png", cv2.imencode(".png", plot)[1].data)
        self._trajectory = Trajectory()
        self._folder.close()

    def _build(self, result: Result) -> FigureCanvasAgg:
        panels = 1 if result.depth is None else 2
        width, height = result.pair.reference.size
        size = PANEL_INCHES * panels, max(3.0, PANEL_INCHES * 0.8 * height / width + 0.8)
        figure = Figure(figsize=size, dpi=100, layout="constrained")
        self._canvas = FigureCanvasAgg(figure)
        axes = figure.subplots(1, panels, squeeze=False)[0]
        self._plots = [FlowPlot(axes[0], result, self._knobs)]
        if result.depth is not None:
            self._plots.append(DepthPlot(axes[1], result, self._style))
        return self._canvas


def _picture(canvas: FigureCanvasAgg) -> Image:
    return np.asarray(cv2.cvtColor(np.asarray(canvas.buffer_rgba()), cv2.COLOR_RGBA2BGR), np.uint8)


def _title(result: Result) -> str:
    frame = result.pair.newest
    when = f"frame {frame.index}" + (f", {float(frame.time):.3f} s" if frame.time is not None else "")
    status = f": {result.motion.status}" if result.motion else ""
    return when + status + (", damaged picture" if result.pair.damaged else "")


def _finite_epipole(result: Result) -> tuple[list[float], list[float]]:
    if result.smoothed is None or result.smoothed.translation is None:
        return [], []
    point = pixel(result.smoothed.translation.epipole, result.camera_matrix)
    return ([], []) if point is None else ([float(point[0])], [float(point[1])])
