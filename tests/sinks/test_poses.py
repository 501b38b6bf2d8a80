"""Trajectories: the forms that evaluation tools read, one file a segment, a plot from above."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from sinks import open_sink
from sinks.writing.trajectory import COLUMNS, Trajectory
from streamflow.errors import SinkError
from streamflow.values import Result
from tests.support.made_results import files_in, make_pose, make_results, make_run, write_all


def starting(result: Result) -> Result:
    return replace(result, starts_segment="cut")


def test_tum_s_form_from_the_origin_on() -> None:
    write_all(open_sink("poses:out.txt", make_run()), make_results())
    assert (
        Path("out.txt").read_text().startswith("# camera to world, steps: timestamp tx ty tz qx qy qz qw\n")
    )
    rows = np.loadtxt("out.txt")
    np.testing.assert_allclose(rows[:, 0], np.arange(6) / 25)  # the first frame too, which has no pair
    for index, row in enumerate(rows):
        np.testing.assert_allclose(row[1:4], make_pose(index)[:3, 3])
        np.testing.assert_allclose(
            Rotation.from_quat(row[4:]).as_matrix(), make_pose(index)[:3, :3], atol=1e-8
        )


def test_kitti_s_form() -> None:
    write_all(open_sink("poses:out.kitti", make_run()), make_results())
    rows = np.loadtxt("out.kitti").reshape(-1, 3, 4)
    np.testing.assert_allclose(rows, [make_pose(index)[:3] for index in range(6)], atol=1e-8)


def test_without_a_clock_the_time_is_the_number_of_the_frame() -> None:
    write_all(open_sink("poses:out.txt", make_run()), make_results([None, None, None]))
    assert np.loadtxt("out.txt")[:, 0].tolist() == [0, 1, 2]


def test_a_segment_a_file_and_none_where_the_camera_is_lost() -> None:
    first, second, third, fourth, fifth = make_results()
    lost = replace(third, pose=None)
    write_all(open_sink("poses:out.txt", make_run()), [first, starting(second), lost, fourth, fifth])
    assert files_in(Path()) == ["out.txt", "out_2.txt", "out_3.txt"]
    times = [(np.loadtxt(name)[:, 0] * 25).round().astype(int).tolist() for name in files_in(Path())]
    assert times == [[0, 1], [1, 2], [3, 4, 5]]


def test_files_of_an_earlier_run_are_refused_or_all_replaced() -> None:
    first, second = make_results()[:2]
    write_all(open_sink("poses:out.txt", make_run()), [first, starting(second)])
    with pytest.raises(SinkError, match="exists; -y replaces it"):
        open_sink("poses:out.txt", make_run())
    write_all(open_sink("poses:out.txt", make_run(overwrite=True)), [first])
    assert files_in(Path()) == ["out.txt"]


def test_the_plot_of_the_run_shows_path_and_heading_where_poses_are_known() -> None:
    plot = Trajectory()
    results = make_results()
    for result in [*results[:3], starting(results[3]), results[4]]:
        plot.add(result)
    rows = np.reshape(plot._rows, (-1, COLUMNS))
    assert np.isnan(rows[3, 1:]).all()  # a gap, so that no line leads over the cut
    assert rows[0, 6:].tolist() == pytest.approx([1, 2, 3])  # right, ahead, degrees to the right
    with_path = plot.draw()
    bare = Trajectory()
    bare.add(replace(results[0], pose=None))
    assert with_path.shape[0] == 2 * bare.draw().shape[0]
