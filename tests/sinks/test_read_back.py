"""What the sinks wrote reads back as what was found."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.quiver import Quiver

from sinks import open_sink
from sinks.figure import DepthPlot, FlowPlot
from sinks.read import (
    read_depth,
    read_flow,
    read_manifest,
    read_npz,
    read_pfm,
    read_ply,
)
from sinks.writing.records import to_json
from sources.benchmark import SequenceSource
from streamflow.draw.panel import Style
from streamflow.errors import SourceError
from streamflow.formats import depth16
from streamflow.values import Looming, Unknown
from tests.support.made_results import K, make_results, make_run, write_all


@pytest.fixture(autouse=True)
def current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


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


def test_kitti_keeps_the_run_s_threshold_whatever_a_viewer_turns_it_to():
    run, results = make_run(), make_results()[:2]
    sink = open_sink("kitti:out", run)
    sink.write(results[0])
    run.knobs.threshmin = 25
    sink.write(results[1])
    sink.close()
    first, second = read_manifest("out")[1]
    assert first["threshmin"] == second["threshmin"] == 10
    assert first["valid_share"] == second["valid_share"] > 0.9


def test_our_own_files_are_truth_without_error_in_the_layouts_of_benchmarks(current_folder):
    """Middlebury's, KITTI's and Flying Chairs': a wrong zero or a swapped channel cannot pass."""
    results = make_results()[:1]
    write_all(open_sink("flo:flo", make_run()), results)
    write_all(open_sink("kitti:kitti", make_run()), results)
    layouts = {
        "middlebury": ("flo/frame_000001.flo", "flow10.flo", "frame10.png", "frame11.png"),
        "kitti2015": ("kitti/frame_000001.png", "flow_occ/0_10.png", "image_2/0_10.png", "image_2/0_11.png"),
        "chairs": ("flo/frame_000001.flo", "00001_flow.flo", "00001_img1.ppm", "00001_img2.ppm"),
    }
    pair = results[0].pair
    for layout, (ours, flow, first, second) in layouts.items():
        for name, image in ((first, pair.reference.image), (second, pair.target.image)):
            (current_folder / layout / name).parent.mkdir(parents=True, exist_ok=True)
            assert cv2.imwrite(f"{layout}/{name}", image)
        (current_folder / layout / flow).parent.mkdir(parents=True, exist_ok=True)
        (current_folder / layout / flow).write_bytes(Path(ours).read_bytes())
        frames = list(SequenceSource(layout))
        np.testing.assert_array_equal(frames[1].image, pair.target.image)
        vectors = frames[0].truth.flow
        assert np.isfinite(vectors).all(axis=2).mean() > 0.99
        error = np.nanmax(np.abs(vectors - results[0].flow.vectors)[1:])
        assert error <= (1 / 128 if layout == "kitti2015" else 0), layout


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
        "translation": result.motion.translation.direction,
        "epipole": result.motion.translation.epipole,
        "inverse_depth": result.depth.inverse,
        "variance": result.depth.variance,
        "unknown": result.depth.unknown,
        "contact": result.depth.time_to_contact,
        "K": K,
    }.items():
        np.testing.assert_array_equal(found[name], expected, err_msg=name)
    assert (found["unknown"][:, -1] == Unknown.OUTSIDE).all()
    np.testing.assert_array_equal(found["motion_covariance"], result.motion.translation.covariance)
    assert (found["plane_map"] == 0).sum() == results[2].planes[0].mask.sum()
    assert found["plane_label"].tolist() == [3]
    assert found["plane_name"].tolist() == ["ground"]
    np.testing.assert_array_equal(found["plane_parameters"], [result.planes[0].parameters])


def test_npz_holds_everything_that_was_found():
    """Derivatives, the smoothed motion, alternatives, looming and pose too."""
    (result,) = make_results()[:1]
    other = replace(result.motion, rotation=None, translation=None)
    looming = Looming(1.5, result.planes[0].mask), Looming(2.5, ~result.planes[0].mask)
    motion = replace(result.motion, alternatives=(result.motion, other))
    plane = replace(result.planes[0], alternative_normal=np.array([1.0, 0, 0]), normal=None)
    smoothed = replace(result.motion, rotation=np.eye(3))
    result = replace(result, motion=motion, smoothed=smoothed, looming=looming, planes=(plane,))
    write_all(open_sink("npz:out", make_run()), [result])
    found = read_npz("out/frame_000001.npz")
    assert (found["starts_segment"], found["approach"], found["step"], found["threshmin"]) == (
        "start",
        25,
        1,
        0,
    )
    ix, iy, it = (found[name] for name in ("Ix", "Iy", "It"))
    for values in (ix, iy, it):
        assert values.shape == result.flow.sigma.shape
    earlier, later = (frame.grey.astype(float) for frame in (result.pair.target, result.pair.reference))
    assert np.corrcoef(it.ravel(), (earlier - later).ravel())[0, 1] > 0.8
    np.testing.assert_array_equal(found["smoothed_rotation"], np.eye(3))
    np.testing.assert_array_equal(found["pose"], result.pose)
    np.testing.assert_array_equal(found["alternative_rotation"][0], result.motion.rotation)
    assert np.isnan(found["alternative_translation"][1]).all()
    assert found["looming_time"].tolist() == [1.5, 2.5]
    np.testing.assert_array_equal(found["looming_map"], np.where(looming[0].mask, 0, 1))
    assert found["plane_alternative_normal"].tolist() == [[1, 0, 0]]
    assert np.isnan(found["plane_normal"]).all()


def test_npz_compressed_on_request_holds_the_same():
    results = make_results()[:1]
    write_all(open_sink("npz:plain", make_run()), results)
    write_all(open_sink("npz:small", replace(make_run(), compress=True)), results)
    plain, small = (Path(folder) / "frame_000001.npz" for folder in ("plain", "small"))
    assert small.stat().st_size < 0.7 * plain.stat().st_size
    np.testing.assert_equal(read_npz(small), read_npz(plain))


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


def test_json_tells_the_pair_s_own_epipole_the_smoothed_one_and_the_pose():
    (result,) = make_results()[:1]
    moved = replace(result.motion.translation, epipole=np.array([67.0, 40.5, 2]))
    result = replace(result, smoothed=replace(result.motion, translation=moved))
    write_all(open_sink("jsonl:out.jsonl", make_run()), [result])
    record = json.loads(Path("out.jsonl").read_text())
    assert (record["epipole"]["x"], record["epipole"]["y"]) == (33.5, 20.25)
    assert record["epipole_smoothed"]["y"] == 20.25
    assert record["pose"] == result.pose.tolist()


def test_json_has_no_nan(current_folder):
    record = {"a": np.array([1.5, np.nan]), "b": float("inf"), "c": np.float32(2), "d": None}
    assert json.loads(to_json(record)) == {"a": [1.5, None], "b": None, "c": 2.0, "d": None}


def test_npz_tells_what_is_not_the_scene():
    (result,) = make_results()[:1]
    excluded = np.zeros(result.flow.sigma.shape, np.bool_)
    excluded[:9] = True
    masked = replace(result, flow=replace(result.flow, excluded=excluded))
    write_all(open_sink("npz:out", make_run()), [masked])
    np.testing.assert_array_equal(read_npz("out/frame_000001.npz")["excluded"], excluded)
