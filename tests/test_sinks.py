"""What every sink promises, and that what it wrote reads back as what was found."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.quiver import Quiver

from sinks import SINKS, depth16, open_sink
from sinks.figure import DepthPlot, FlowPlot
from sinks.read import (
    read_depth,
    read_flow,
    read_manifest,
    read_npz,
    read_pfm,
    read_ply,
    read_sidecar,
)
from sinks.records import to_json
from streamflow.errors import SinkError, SourceError, UsageError
from streamflow.values import Unknown
from tests.full_disk import limited_file_size
from tests.made_results import INFO, K, files_in, make_results, make_run, write_all

TARGETS = {
    "video": "out.mp4",
    "png": "png:out",
    "depth_video": "depth:out.mkv",
    "depth": "depth:out",
    "flo": "flo:out",
    "kitti": "kitti:out",
    "pfm": "pfm:out",
    "npz": "npz:out",
    "ply": "ply:out",
    "jsonl": "jsonl:out.jsonl",
    "figure": "figure:out",
}
FOLDERS = [spelling for spelling in TARGETS.values() if "." not in spelling]
FILES = [spelling for spelling in TARGETS.values() if "." in spelling]


@pytest.fixture(autouse=True)
def current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def locked_folder() -> Iterator[Path]:
    """A folder that this process may not write to, not even when the tests run as root."""
    folder = Path(tempfile.mkdtemp())
    root = os.geteuid() == 0
    folder.chmod(0o555)
    if root:
        os.seteuid(65534)
    yield folder
    if root:
        os.seteuid(0)
    shutil.rmtree(folder)


def test_every_sink_but_the_window_is_tested_here():
    assert TARGETS.keys() == SINKS.entries.keys() - {"window"}


@pytest.mark.parametrize(("name", "spelling"), TARGETS.items())
def test_the_spelling_finds_its_sink(name, spelling):
    assert SINKS.find(spelling) is SINKS.entries[name]


@pytest.mark.parametrize("spelling", ["out.avi", "out", "dept:out.mkv", "tiff:out"])
def test_an_unknown_spelling_lists_what_there_is(spelling):
    with pytest.raises(UsageError, match=r"no such output; there are: .*png:DIR"):
        open_sink(spelling, make_run())


@pytest.mark.parametrize("spelling", ["png:", "jsonl:", "depth:"])
def test_a_missing_name_is_an_error(spelling):
    with pytest.raises(SinkError, match=r"name"):
        open_sink(spelling, make_run())


@pytest.mark.parametrize("spelling", TARGETS.values())
def test_no_results_leave_nothing(spelling, current_folder):
    sink = open_sink(spelling, make_run())
    sink.close()
    assert list(current_folder.iterdir()) == []


@pytest.mark.parametrize("spelling", TARGETS.values())
def test_whole_files_only_and_closing_twice_is_closing_once(spelling, current_folder):
    sink = open_sink(spelling, make_run())
    write_all(sink, make_results()[:2])
    before = files_in(current_folder)
    sink.close()
    assert files_in(current_folder) == before
    assert before
    assert not [name for name in before if "part" in name]


@pytest.mark.parametrize("spelling", TARGETS.values())
def test_an_existing_output_is_refused_and_left_alone(spelling, current_folder):
    write_all(open_sink(spelling, make_run()), make_results()[:2])
    before = {name: (current_folder / name).read_bytes() for name in files_in(current_folder)}
    with pytest.raises(SinkError, match=r"out.*-y replaces it, or choose another"):
        open_sink(spelling, make_run())
    assert {name: (current_folder / name).read_bytes() for name in files_in(current_folder)} == before


@pytest.mark.parametrize("spelling", FOLDERS)
def test_overwriting_a_folder_leaves_no_file_of_the_earlier_run(spelling, current_folder):
    write_all(open_sink(spelling, make_run()), make_results()[:2])
    (current_folder / "out" / "notes.txt").write_text("mine")
    write_all(open_sink(spelling, make_run(overwrite=True)), make_results()[1:2])
    frames = [name for name in files_in(current_folder / "out") if name.startswith("frame")]
    assert [name.partition(".")[0] for name in frames] == ["frame_000002"]
    assert (current_folder / "out" / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("spelling", FILES)
def test_overwriting_a_file_keeps_the_old_one_until_the_new_one_is_whole(spelling, current_folder):
    path = current_folder / spelling.partition(":")[2] if ":" in spelling else current_folder / spelling
    path.write_bytes(b"old")
    sink = open_sink(spelling, make_run(overwrite=True))
    for result in make_results()[:2]:
        sink.write(result)
    assert path.read_bytes() == b"old"
    sink.close()
    assert path.read_bytes() != b"old"


@pytest.mark.parametrize("spelling", FILES)
def test_the_source_is_never_replaced_by_its_own_output(spelling, current_folder):
    path = current_folder / spelling.rpartition(":")[2]
    path.write_bytes(b"precious")
    run = make_run(overwrite=True, info=replace(INFO, name=str(path)))
    with pytest.raises(SinkError, match=r"is the source of this run; choose another name"):
        open_sink(spelling, run)
    assert path.read_bytes() == b"precious"


@pytest.mark.parametrize("spelling", ["png:out", "depth:out", "kitti:out", "figure:out"])
@pytest.mark.parametrize("overwrite", [False, True])
def test_pictures_that_are_not_ours_are_never_replaced(spelling, overwrite, current_folder):
    (current_folder / "out").mkdir()
    mine = current_folder / "out" / "frame_000001.png"
    mine.write_bytes(b"mine")
    with pytest.raises(SinkError, match=r"frame_000001\.png: is not an output of streamflow"):
        open_sink(spelling, make_run(overwrite=overwrite))
    assert mine.read_bytes() == b"mine"


@pytest.mark.parametrize("spelling", TARGETS.values())
@pytest.mark.parametrize("overwrite", [False, True])
def test_two_outputs_to_one_place_are_refused(spelling, overwrite):
    run = make_run(overwrite=overwrite)
    first, second = open_sink(spelling, run), open_sink(spelling, run)
    first.write(make_results()[0])
    with pytest.raises(SinkError, match=r"writes to it"):
        second.write(make_results()[0])
    second.close()
    first.close()
    assert not [name for name in files_in(Path()) if "part" in name]


@pytest.mark.parametrize("spelling", TARGETS.values())
def test_a_folder_one_may_not_write_to_is_an_error_at_once(spelling, locked_folder):
    prefix, _, name = spelling.rpartition(":")
    target = f"{prefix}:{locked_folder / name}" if prefix else str(locked_folder / name)
    with pytest.raises(SinkError, match=r"cannot be written: Permission denied; choose a place"):
        open_sink(target, make_run())


@pytest.mark.parametrize("spelling", TARGETS.values())
def test_a_file_in_place_of_the_folder_is_an_error(spelling, current_folder):
    (current_folder / "file").write_text("")
    prefix, _, name = spelling.rpartition(":")
    target = f"{prefix}:file/{name}" if prefix else f"file/{name}"
    with pytest.raises(SinkError, match=r"cannot be written: Not a directory; choose a folder"):
        open_sink(target, make_run())


@pytest.mark.parametrize("spelling", FILES)
def test_a_missing_folder_is_an_error(spelling):
    prefix, _, name = spelling.rpartition(":")
    target = f"{prefix}:missing/{name}" if prefix else f"missing/{name}"
    with pytest.raises(SinkError, match=r"missing: cannot be written: No such file or directory"):
        open_sink(target, make_run())


@pytest.mark.parametrize("spelling", FOLDERS)
def test_a_full_disk_keeps_the_files_before_it_and_no_part_of_the_next(spelling, current_folder):
    results = make_results(size=(167, 101))
    sink = open_sink(spelling, make_run())
    sink.write(results[0])
    size = (current_folder / "out" / read_manifest("out")[1][0]["file"]).stat().st_size
    with limited_file_size(size // 2), pytest.raises(SinkError, match=r"frame_000002.*File too large"):
        sink.write(results[1])
    sink.close()
    frames = [name for name in files_in(current_folder / "out") if "frame" in name]
    assert [name.partition(".")[0] for name in frames] == ["frame_000001"]
    assert [record["file"] for record in read_manifest("out")[1]] == frames


@pytest.mark.parametrize("spelling", FOLDERS)
def test_the_manifest_tells_the_settings_and_every_file(spelling):
    results = make_results()[:2]
    write_all(open_sink(spelling, make_run()), results)
    header, files = read_manifest("out")
    assert header["settings"] == {"threshmin": 10.0, "flow": "balanced"}
    assert header["output"] == spelling.partition(":")[0]
    assert [(record["index"], record["target"], record["time"]) for record in files] == [
        (index, index - 1, index / 25) for index in (1, 2)
    ]
    for record in files:
        data = (Path("out") / record["file"]).read_bytes()
        assert (record["bytes"], int(record["crc32"], 16)) == (len(data), zlib.crc32(data))


@pytest.mark.parametrize("spelling", FOLDERS)
def test_the_sidecar_tells_quantity_unit_and_camera(spelling):
    write_all(open_sink(spelling, make_run()), make_results()[:2])
    sidecar = read_sidecar("out")
    assert sidecar["camera_matrix"] == K.tolist()
    assert sidecar["camera_assumed"] is True
    assert sidecar["size"] == [67, 45]
    assert sidecar["registered_on"] == "newest frame"
    assert sidecar["quantity"]


def test_a_torn_last_line_of_the_manifest_is_left_out():
    write_all(open_sink("pfm:out", make_run()), make_results())
    manifest = Path("out/manifest.jsonl")
    manifest.write_bytes(manifest.read_bytes()[:-20])
    assert len(read_manifest("out")[1]) == 4


# What was written is read back.


def test_frames_as_png():
    run, results = make_run(), make_results()
    write_all(open_sink("png:out", run), results)
    for result in results:
        picture = cv2.imread(f"out/frame_{result.pair.newest.index:06d}.png")
        np.testing.assert_array_equal(picture, run.painter.draw(result))


@pytest.mark.parametrize("target", ["out", "out.mkv"])
def test_depth_in_16_bits(target):
    results = make_results()
    write_all(open_sink(f"depth:{target}", make_run()), results)
    found = list(read_depth(target))
    assert [(index, time) for index, time, _ in found] == [(i, i / 25) for i in range(1, 6)]
    for (_, _, inverse), result in zip(found, results, strict=True):
        assert inverse.dtype == np.float32
        np.testing.assert_array_equal(np.isnan(inverse), np.isnan(result.depth.inverse))
        np.testing.assert_allclose(inverse, result.depth.inverse, rtol=2e-4)


def test_16_bits_hold_inverse_depth_to_a_thousandth_at_40_times_the_nearest():
    inverse = np.geomspace(0.31 / 40, 0.31, 47 * 61, dtype=np.float32).reshape(47, 61)
    stored, scale = depth16.encode(inverse)
    np.testing.assert_allclose(depth16.decode(stored, scale), inverse, rtol=1e-3)


def test_16_bits_mark_the_unknown_and_only_that():
    inverse = np.array([[np.nan, -0.1, 0.0, 1e-12, 0.5]], np.float32)
    stored, scale = depth16.encode(inverse)
    assert (stored[0] == 0).tolist() == [True, True, True, False, False]
    assert np.isnan(depth16.decode(stored, scale)[0, :3]).all()


def test_16_bits_are_not_spent_on_one_wild_pixel():
    inverse = np.full((101, 167), 0.1, np.float32)
    inverse[3, 5] = 1e6
    stored, scale = depth16.encode(inverse)
    assert stored[3, 5] == 65535
    assert depth16.decode(stored, scale)[50, 50] == pytest.approx(0.1, rel=1e-3)


def test_16_bits_of_nothing_known():
    stored, scale = depth16.encode(np.full((5, 7), np.nan, np.float32))
    assert not stored.any()
    assert np.isfinite(scale)


@pytest.mark.parametrize("target", ["out", "out.mkv"])
def test_depth_that_was_damaged_later_is_noticed(target):
    write_all(open_sink(f"depth:{target}", make_run()), make_results())
    path, position = Path("out/frame_000003.png"), 100
    if target == "out.mkv":
        path = Path(target)
        with av.open(target) as container:
            packet = [packet for packet in container.demux() if packet.size][2]
            position = packet.pos + packet.size // 2
    data = bytearray(path.read_bytes())
    data[position] ^= 0x10
    path.write_bytes(data)
    found = read_depth(target)
    assert [next(found)[0], next(found)[0]] == [1, 2]
    with pytest.raises(SourceError, match=r"damaged since it was written"):
        next(found)


def test_depth_video_that_was_cut_is_noticed():
    write_all(open_sink("depth:out.mkv", make_run()), make_results())
    data = Path("out.mkv").read_bytes()
    with av.open("out.mkv") as container:
        packet = [packet for packet in container.demux() if packet.size][3]
    Path("out.mkv").write_bytes(data[: packet.pos])
    with pytest.raises(SourceError, match=r"ends after 3 of 5 pictures"):
        list(read_depth("out.mkv"))


def test_flow_as_flo_reads_back_and_opencv_agrees():
    results = make_results()
    write_all(open_sink("flo:out", make_run()), results)
    for result in results:
        path = f"out/frame_{result.pair.newest.index:06d}.flo"
        np.testing.assert_array_equal(read_flow(path), result.flow.vectors)
        known = np.isfinite(result.flow.vectors)
        theirs = cv2.readOpticalFlow(path)
        np.testing.assert_array_equal(theirs[known], result.flow.vectors[known])
        assert (theirs[~known] > 1e9).all()


def test_flow_as_kitti_png_is_valid_where_it_is_confident_and_fits():
    results = make_results()
    write_all(open_sink("kitti:out", make_run()), results)
    found = read_flow("out/frame_000002.png")
    invalid = np.isnan(found).all(axis=2)
    # unknown, beyond 512 px, weak gradients, large predicted error
    assert sorted(zip(*np.nonzero(invalid), strict=True)) == [(0, 0), (0, 1), (1, 0), (1, 1)]
    expected = results[1].flow.vectors[~invalid]
    np.testing.assert_allclose(found[~invalid], expected, atol=1 / 128)
    raw = cv2.imread("out/frame_000002.png", cv2.IMREAD_UNCHANGED)  # OpenCV turns R, G, B around
    assert raw[10, 16].tolist() == [1, 2**15 - 80, 2**15 + 64]  # valid, v = -1.25, u = 1
    assert raw[0, 1].tolist() == [0, 0, 0]


def test_kitti_follows_the_threshold_as_the_viewer_turns_it():
    run = make_run(threshmin=25)
    write_all(open_sink("kitti:out", run), make_results()[:1])
    assert read_manifest("out")[1][0]["valid_share"] == 0
    assert read_manifest("out")[1][0]["threshmin"] == 25


def test_inverse_depth_as_pfm_reads_back_and_opencv_agrees():
    results = make_results()
    write_all(open_sink("pfm:out", make_run()), results)
    found = read_pfm("out/frame_000004.pfm")
    np.testing.assert_array_equal(found, results[3].depth.inverse)
    np.testing.assert_array_equal(cv2.imread("out/frame_000004.pfm", cv2.IMREAD_UNCHANGED), found)


def test_everything_as_npz():
    results = make_results()
    write_all(open_sink("npz:out", make_run()), results)
    result, found = results[2], read_npz("out/frame_000003.npz")
    assert (found["index"], found["reference"], found["target"], found["time"]) == (3, 3, 2, 0.12)
    assert (found["status"], found["depth_unit"], found["contact_unit"]) == ("moving", "steps", "s")
    for name, expected in {
        "flow": result.flow.vectors,
        "sigma": result.flow.sigma,
        "smin": result.flow.smin,
        "rotation": result.motion.rotation,
        "translation": result.motion.translation,
        "epipole": result.motion.epipole,
        "inverse_depth": result.depth.inverse,
        "variance": result.depth.variance,
        "unknown": result.depth.unknown,
        "contact": result.depth.contact,
        "K": K,
    }.items():
        np.testing.assert_array_equal(found[name], expected, err_msg=name)
    assert (found["unknown"][:, -1] == Unknown.OUTSIDE).all()
    assert np.isnan(found["motion_covariance"]).all()
    assert (found["plane_map"] == 0).sum() == results[2].planes[0].mask.sum()
    assert found["plane_label"].tolist() == [3]
    assert found["plane_name"].tolist() == ["ground"]
    np.testing.assert_array_equal(found["plane_parameters"], [result.planes[0].parameters])


def test_npz_leaves_out_what_was_not_computed():
    bare = replace(make_results([None, None])[0], motion=None, depth=None, planes=None)
    write_all(open_sink("npz:out", make_run()), [bare])
    found = read_npz("out/frame_000001.npz")
    assert np.isnan(found["time"])
    assert np.isnan(found["interval"])
    assert not found.keys() & {"status", "inverse_depth", "plane_map"}


def test_sure_pixels_as_coloured_points():
    result = make_results()[1]
    write_all(open_sink("ply:out", make_run()), [result])
    points, colours = read_ply("out/frame_000002.ply")
    assert len(points) == 44 * 66  # without the last row (not sure) and the last column (unknown)
    x, y = 15, 7
    z = 1 / result.depth.inverse[y, x]
    np.testing.assert_allclose(points[y * 66 + x], [(x - 33) / 80 * z, (y - 22) / 80 * z, z], rtol=1e-6)
    np.testing.assert_array_equal(colours[y * 66 + x], result.pair.reference.image[y, x])


def test_points_have_the_field_s_names():
    write_all(open_sink("ply:out", make_run()), make_results()[:1])
    header = Path("out/frame_000001.ply").read_bytes().partition(b"end_header\n")[0].decode().splitlines()
    assert header[3:] == [
        "element vertex 2904",
        *(f"property float {axis}" for axis in "xyz"),
        *(f"property uchar {colour}" for colour in ("red", "green", "blue")),
    ]


def test_a_reader_says_what_is_wrong(current_folder):
    for name in ("a.flo", "a.png", "a.pfm", "a.ply", "a.npz"):
        (current_folder / name).write_bytes(b"P6 nothing of the kind")
    for read, name in (
        (read_flow, "a.flo"),
        (read_flow, "a.png"),
        (read_pfm, "a.pfm"),
        (read_ply, "a.ply"),
        (read_npz, "a.npz"),
        (read_manifest, "missing"),
        (read_flow, "missing.flo"),
    ):
        with pytest.raises(SourceError, match=name):
            read(name)


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
    DepthPlot(axes, result).update(result)
    shown = axes.images[0].get_array()
    np.testing.assert_array_equal(np.ma.getmaskarray(shown), np.isnan(result.depth.inverse))
    np.testing.assert_array_equal(shown[:, :-1], result.depth.inverse[:, :-1])
    assert figure.axes[1].get_ylabel() == "inverse depth (1 / camera steps)"


def test_json_has_no_nan(current_folder):
    record = {"a": np.array([1.5, np.nan]), "b": float("inf"), "c": np.float32(2), "d": None}
    assert json.loads(to_json(record)) == {"a": [1.5, None], "b": None, "c": 2.0, "d": None}
