"""What the sinks wrote reads back as what was found."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from sinks import open_sink
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
from streamflow.errors import SourceError
from tests.support.made_results import make_results, make_run, write_all


def test_frames_as_png():
    results, painter = make_results(), make_run().painter
    write_all(open_sink("png:out", make_run()), results)
    for result in results:
        picture = cv2.imread(f"out/frame_{result.pair.newest.index:06d}.png")
        np.testing.assert_array_equal(picture, painter.draw(result))


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
