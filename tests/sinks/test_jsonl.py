"""One JSON object a pair: complete, in time, and no surprise for whoever reads the pipe."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sinks import open_sink
from streamflow.errors import SinkError, StopStreaming
from streamflow.values import Looming, Motion, Result, Status, Translation
from tests.support.full_disk import limited_file_size
from tests.support.made_results import K, make_pose, make_results, make_run, write_all

ROOT = str(Path(__file__).parents[2])


def written(*results: Result) -> list[dict[str, Any]]:
    write_all(open_sink("jsonl:out.jsonl", make_run()), results)
    return [
        json.loads(line, parse_constant=pytest.fail) for line in Path("out.jsonl").read_text().splitlines()
    ]


def test_a_line_holds_everything_about_a_pair():
    first, second, *_ = written(*make_results())
    assert first["starts_segment"] == "start"
    rotation = second.pop("rotation_deg")
    assert rotation == pytest.approx([0.5, -1.0, 0.25], abs=1e-9)
    assert second.pop("rotation_deg_per_s") == pytest.approx(np.hypot(np.hypot(0.5, 1), 0.25) * 25)
    major, minor = second["epipole"].pop("sigma_px")
    assert major >= minor > np.radians(2) * K[0, 0]  # the step runs along the axis; rotation adds to it
    assert -180 <= second["epipole"].pop("sigma_angle_deg") <= 180
    smoothed = second.pop("epipole_smoothed")
    assert (smoothed["x"], smoothed["y"], smoothed["ahead"]) == (33.5, 20.25, True)
    np.testing.assert_allclose(second.pop("pose"), make_pose(2))
    camera = second.pop("camera")
    assert camera["source"] == "assumed"
    assert np.tan(np.radians(camera["fov_deg"]) / 2) == pytest.approx(33.5 / K[0, 0])
    longer = np.degrees(
        2 * np.arctan(33.5 / (K[0, 0] * 1.004))
    )  # a hundredth of the assumed standard deviation
    assert camera["fov_sigma_deg"] == pytest.approx(100 * (camera["fov_deg"] - longer), rel=0.01)
    assert second == {
        "index": 2,
        "reference": 2,
        "target": 1,
        "time": 0.08,
        "interval": 0.04,
        "segment": 0,
        "starts_segment": None,
        "damaged": False,
        "status": "moving",
        "epipole": {
            "x": 33.5,
            "y": 20.25,
            "ahead": True,
        },
        "inlier_share": 0.75,
        "translation": [0.0, 0.0, -1.0],
        "translation_sigma_deg": pytest.approx([2, 2]),
        # Pan and tilt are as uncertain as the focal length is, by 40%.
        "rotation_sigma_deg": pytest.approx([np.hypot(0.5, 0.2), np.hypot(0.5, 0.4), 0.5]),
        "noise": 1.5,
        "alternatives": [],
        "looming": None,
        "planes": [
            {
                "label": 3,
                "name": "ground",
                "a": [0.001, 0.002, 0.003, 0.004, 0.005, 0.006, 0.007, 0.008],
                "residual": 0.05,
                "normal": [0.0, -1.0, 0.0],
                "twin_normal": None,
                "distance": 1.5,
                "pixels": 23 * 67,
            }
        ],
        "objects": [
            {
                "label": 2,
                "box_px": [20, 10, 6, 4],
                "share_of_image": pytest.approx(24 / (45 * 67)),
                "velocity_px_per_s": [50.0, -12.5],
                "confidence": 0.875,
                "since_s": 0.0,
                "time_to_contact_s": 2.5,
            }
        ],
        "timing_ms": {"flow": 12.5, "motion": 3.25},
    }


def test_what_is_not_known_is_null():
    result = make_results([None, None])[0]
    (found,) = written(replace(result, motion=Motion(Status.STATIC), planes=None))
    assert found["status"] == "static"
    unknown = "time", "interval", "epipole", "rotation_deg", "translation", "inlier_share", "noise", "planes"
    assert {name: found[name] for name in unknown} == dict.fromkeys(unknown)


def test_a_warning_has_its_time_and_region():
    result = make_results()[0]
    mask = np.zeros(result.depth.inverse.shape, np.bool_)
    mask[20:30, 30:50] = True
    nothing, one = written(replace(result, looming=()), replace(result, looming=(Looming(1.25, mask),)))
    assert nothing["looming"] == []
    assert one["looming"] == [
        {"time_s": 1.25, "box_px": [30, 20, 20, 10], "share_of_image": pytest.approx(200 / mask.size)}
    ]


def test_a_stage_that_did_not_run_is_null():
    (found,) = written(replace(make_results()[0], motion=None, depth=None, planes=None))
    assert found["status"] is None
    assert found["planes"] is None


@pytest.mark.parametrize(
    ("epipole", "expected"),
    [
        ([33.5, 20.25, 1.0], {"x": 33.5, "y": 20.25, "ahead": True}),
        ([-33.5, -20.25, -1.0], {"x": 33.5, "y": 20.25, "ahead": False}),
        ([-350.0, 0.0, 0.5], {"x": -700.0, "y": 0.0, "ahead": True}),
        ([3.0, 3.0, 0.0], {"direction_deg": pytest.approx(45.0)}),
        ([0.0, -1.0, 1e-9], {"direction_deg": pytest.approx(-90.0)}),
    ],
    ids=["ahead", "behind", "outside", "at infinity", "as good as at infinity"],
)
def test_the_epipole_is_a_point_or_a_direction(epipole, expected):
    heading = Translation(np.array([0.0, 0.0, 1.0]), np.full((5, 5), np.nan), np.array(epipole))
    motion = Motion(Status.MOVING, translation=heading)
    (found,) = written(replace(make_results()[0], motion=motion))
    assert {key: found["epipole"][key] for key in expected} == expected


def test_every_line_is_there_as_soon_as_its_pair_is_done():
    results = make_results()
    sink = open_sink("jsonl:out.jsonl", make_run())
    for count, result in enumerate(results, 1):
        sink.write(result)
        assert len(Path("out.part.jsonl").read_text().splitlines()) == count
    sink.close()


def test_stdout_gets_data_and_nothing_else(capfd):
    write_all(open_sink("jsonl:-", make_run()), make_results())
    output, errors = capfd.readouterr()
    assert [json.loads(line)["index"] for line in output.splitlines()] == [1, 2, 3, 4, 5]
    assert errors == ""
    os.write(1, b"stdout is still open")


WRITER = """
import sys
sys.path.insert(0, {root!r})
from sinks import open_sink
from streamflow.errors import StopStreaming
from tests.support.made_results import make_results, make_run
sink = open_sink("jsonl:-", make_run())
for count in range(10_000):
    try:
        sink.write(make_results()[0])
    except StopStreaming as reason:
        print(reason, file=sys.stderr)
        break
sink.close()
"""


def test_a_reader_that_has_enough_ends_the_run_without_a_word():
    """As in `stream.py ... -o jsonl:- | head -1`."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER.format(root=ROOT)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    with process:
        assert json.loads(process.stdout.readline())["index"] == 1
        process.stdout.close()
        assert process.stderr.read().decode() == "stdout: nobody reads it any more\n"
    assert process.returncode == 0


def test_a_named_pipe_is_written_as_it_is(current_folder):
    os.mkfifo("pipe")
    lines = []
    reader = threading.Thread(target=lambda: lines.extend(Path("pipe").read_text().splitlines()))
    reader.start()
    write_all(open_sink("jsonl:pipe", make_run()), make_results())
    reader.join()
    assert [json.loads(line)["index"] for line in lines] == [1, 2, 3, 4, 5]
    assert [path.name for path in current_folder.iterdir()] == ["pipe"]


def test_a_pipe_that_nobody_reads_any_more_ends_the_run():
    os.mkfifo("pipe")
    reader = os.open("pipe", os.O_RDONLY | os.O_NONBLOCK)
    sink = open_sink("jsonl:pipe", make_run())
    os.close(reader)
    with pytest.raises(StopStreaming, match=r"pipe: nobody reads it any more"):
        sink.write(make_results()[0])
    sink.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_device_is_an_error():
    sink = open_sink("jsonl:/dev/full", make_run())
    with pytest.raises(
        SinkError, match=r"/dev/full: cannot be written: No space left on device; free some space"
    ):
        sink.write(make_results()[0])
    sink.close()


def test_a_full_disk_is_an_error_and_the_lines_before_it_stay(current_folder):
    results = make_results([Fraction(k, 25) for k in range(40)])
    sink = open_sink("jsonl:out.jsonl", make_run())
    with (
        limited_file_size(8000),
        pytest.raises(SinkError, match=r"out\.jsonl: cannot be written: File too large"),
    ):
        write_all(sink, results)
    sink.close()
    assert [path.name for path in current_folder.iterdir()] == ["out.part.jsonl"]
    whole = Path("out.part.jsonl").read_text().splitlines()[:-1]
    assert [json.loads(line)["index"] for line in whole] == list(range(1, len(whole) + 1))
    assert len(whole) >= 5
