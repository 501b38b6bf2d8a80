"""Plots with axes."""

from __future__ import annotations

import cv2
import numpy as np
from matplotlib.figure import Figure
from matplotlib.quiver import Quiver

from sinks import open_sink
from sinks.figure import DepthPlot, FlowPlot
from streamflow.draw.panel import Style
from tests.support.made_results import make_results, make_run, write_all


def test_figures_keep_their_size_and_change_with_the_result():
    results = make_results()[:2]
    write_all(open_sink("figure:out", make_run()), results)
    first, last = cv2.imread("out/frame_000001.png"), cv2.imread("out/frame_000002.png")
    assert first.shape == last.shape
    assert first.shape[1] == 1400  # two panels
    assert (first != last).any()


def test_the_flow_figure_shows_where_things_go_and_how_sure_that_is():
    result = make_results()[0]
    result.flow.smin[20:] = 9  # below the threshold
    axes = Figure().subplots()
    FlowPlot(axes, result, make_run().knobs).update(result)
    (arrows,) = axes.collections
    assert isinstance(arrows, Quiver)
    places = arrows.X.astype(int), arrows.Y.astype(int)
    weak = (result.flow.smin < 10)[places[1], places[0]]
    # The flow leads back to the earlier frame; the arrows show the motion from past to future.
    np.testing.assert_array_equal(arrows.U[~weak], -result.flow.vectors[places[1], places[0], 0][~weak])
    np.testing.assert_array_equal(arrows.V[~weak], 1.25)
    np.testing.assert_array_equal(np.ma.getmaskarray(arrows.get_array()).ravel(), weak)
    assert 0 < weak.mean() < 1
    assert [values.tolist() for values in np.array(axes.lines[0].get_data())] == [[33.5], [20.25]]
    assert "frame 1, 0.040 s: moving" in axes.get_title()
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("x (px)", "y (px)")


def test_the_depth_figure_shows_the_map_and_leaves_the_unknown_out():
    result = make_results()[0]
    figure = Figure()
    axes = figure.subplots()
    DepthPlot(axes, result, Style()).update(result)
    shown = axes.images[0].get_array()
    np.testing.assert_array_equal(np.ma.getmaskarray(shown), np.isnan(result.depth.inverse))
    np.testing.assert_array_equal(shown[:, :-1], result.depth.inverse[:, :-1])
    assert figure.axes[1].get_ylabel() == "inverse depth (1 / camera steps)"


def test_the_depth_figure_keeps_to_the_limits_that_were_given():
    result = make_results()[0]
    axes = Figure().subplots()
    DepthPlot(axes, result, Style(limits=(16, 40), colours="magma")).update(result)
    assert axes.images[0].get_clim() == (1 / 40, 1 / 16)
    assert axes.images[0].get_cmap().name == "magma"
