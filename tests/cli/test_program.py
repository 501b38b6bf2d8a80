"""stream.py as a user runs it: a process, files on disk, exit codes, one line of error."""

from __future__ import annotations

import itertools
import json
import signal
import subprocess
from pathlib import Path

import av
import cv2
import numpy as np
import OpenEXR
import pytest

from sinks.read import read_depth, read_flow, read_npz, read_pfm
from sources import open_source
from streamflow.evaluation.metrics import depth_errors, endpoint_error
from streamflow.evaluation.truth import pair_truth
from streamflow.values import FramePair
from tests.support.clips import packet_bytes, write_clip, zero_hole
from tests.support.program import command, run
from tests.support.waiting import until

ROOT = Path(__file__).parents[2]
DEMO = "demo:oblique,size=233x141,frames=6"
TARGETS = {
    "video": "out.mp4", "png": "png:pictures", "depth_video": "depth:maps.mkv", "depth": "depth:maps",
    "flo": "flo:flow", "kitti": "kitti:kitti", "pfm": "pfm:pfm", "npz": "npz:arrays", "ply": "ply:clouds",
    "jsonl": "jsonl:log.jsonl", "figure": "figure:plots", "poses": "poses:trajectory.txt",
    "mask": "mask:masks", "exr": "exr:layers", "bag": "bag:robot,points",
}  # fmt: skip


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One run of a small scene into every kind of file."""
    folder = tmp_path_factory.mktemp("run")
    outputs = [word for target in TARGETS.values() for word in ("-o", target)]
    switches = ("--plot_flow", "--epipole", "--depth", "--planar_flow", "--threshmin", "1")
    done = run(folder, DEMO, *switches, *outputs)
    (folder / "stdout").write_text(done.stdout)
    return folder


@pytest.fixture(scope="module")
def pairs() -> list[FramePair]:
    frames = list(open_source(DEMO))
    return [FramePair(newer, older) for older, newer in itertools.pairwise(frames)]


def test_every_registered_file_sink_is_run() -> None:
    from sinks import SINKS

    assert set(TARGETS) == {name for name, entry in SINKS.entries.items() if entry.keeps}


def test_the_video_has_every_pair_at_its_time(everything: Path, pairs: list[FramePair]) -> None:
    with av.open(str(everything / "out.mp4")) as container:
        times = [frame.pts * frame.time_base for frame in container.decode(video=0)]
    assert times == [pair.reference.time for pair in pairs]


def test_pictures_and_plots_are_there_for_every_pair(everything: Path, pairs: list[FramePair]) -> None:
    for folder in ("pictures", "plots"):
        pictures = [cv2.imread(str(path)) for path in sorted((everything / folder).glob("frame_*.png"))]
        assert len(pictures) == len(pairs)
        assert all(picture.std() > 10 for picture in pictures)
    assert cv2.imread(str(everything / "plots/trajectory.png")).std() > 10


def test_the_flow_files_hold_the_flow(everything: Path, pairs: list[FramePair]) -> None:
    for index, pair in enumerate(pairs, start=1):
        truth = pair_truth(pair)
        flo = read_flow(everything / f"flow/frame_{index:06d}.flo")
        error = endpoint_error(flo, truth.vectors)[truth.visible]
        assert np.median(error) < 0.1  # pixels
        kitti = read_flow(everything / f"kitti/frame_{index:06d}.png")
        valid = np.isfinite(kitti[..., 0])
        assert valid.mean() > 0.3
        np.testing.assert_allclose(kitti[valid], flo[valid], atol=1 / 64)


def test_the_depth_files_agree_with_one_another_and_the_truth(
    everything: Path, pairs: list[FramePair]
) -> None:
    pictures, video = (list(read_depth(everything / name)) for name in ("maps", "maps.mkv"))
    assert len(pictures) == len(video) == len(pairs)
    for (index, time_, inverse), (_, _, same), pair in zip(pictures, video, pairs, strict=True):
        truth = pair_truth(pair)
        assert time_ == pytest.approx(float(pair.reference.time))
        np.testing.assert_array_equal(inverse, same)
        exact = read_npz(everything / f"arrays/frame_{index:06d}.npz")["inverse_depth"]
        known = np.isfinite(exact) & (exact > 0)
        np.testing.assert_allclose(inverse[known], exact[known], atol=np.nanmax(exact) * 2e-3)
        with OpenEXR.File(str(everything / f"layers/frame_{index:06d}.exr"), separate_channels=True) as file:
            z = file.channels()["Z"].pixels
        np.testing.assert_allclose(z[known], 1 / exact[known], rtol=1e-5)
        pfm = read_pfm(everything / f"pfm/frame_{index:06d}.pfm")
        np.testing.assert_array_equal(pfm, exact)
        errors, _ = depth_errors(inverse, truth.inverse_depth, truth.visible)
        assert np.median(errors) < 0.04


def test_the_log_has_a_line_a_pair_with_the_heading(everything: Path, pairs: list[FramePair]) -> None:
    lines = [json.loads(line) for line in (everything / "log.jsonl").read_text().splitlines()]
    assert [line["index"] for line in lines] == list(range(1, len(pairs) + 1))
    for line, pair in zip(lines, pairs, strict=True):
        epipole = pair_truth(pair).epipole
        assert line["status"] == "moving"
        assert (
            np.hypot(
                line["epipole"]["x"] - epipole[0] / epipole[2], line["epipole"]["y"] - epipole[1] / epipole[2]
            )
            < 12
        )  # pixels, of an epipole 174 beyond the edge of 233
        assert line["epipole"]["ahead"] is True
        assert line["inlier_share"] > 0.8
        assert len(line["planes"][0]["a"]) == 8
        assert set(line["timing_ms"]) == {"flow", "motion", "moving", "depth", "planes"}


def test_the_demo_prints_its_errors(everything: Path) -> None:
    text = (everything / "stdout").read_text()
    assert "errors against the truth" in text
    assert "flow, px" in text


def test_nothing_unfinished_is_left(everything: Path) -> None:
    assert not [path for path in everything.rglob("*") if ".part" in path.name or path.name.endswith("~")]


def test_an_existing_output_is_kept_unless_told_otherwise(tmp_path: Path) -> None:
    (tmp_path / "out.mp4").write_text("mine")
    done = run(tmp_path, "demo:still,size=64x48,frames=3", "-o", "out.mp4", code=4)
    assert "out.mp4" in done.stderr
    assert "-y" in done.stderr
    assert (tmp_path / "out.mp4").read_text() == "mine"
    run(tmp_path, "demo:still,size=64x48,frames=3", "-o", "out.mp4", "-y")
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert len(list(container.decode(video=0))) == 2


def test_data_on_stdout_stands_alone(tmp_path: Path) -> None:
    done = run(tmp_path, "demo:forward,size=97x61,frames=3", "--epipole", "-o", "jsonl:-")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["index"] for line in lines] == [1, 2]


def test_a_still_camera_has_neither_epipole_nor_depth(tmp_path: Path) -> None:
    run(tmp_path, "demo:still,size=233x141,frames=4", "--depth", "-o", "jsonl:log", "-o", "npz:arrays")
    for text in (tmp_path / "log").read_text().splitlines():
        line = json.loads(text)
        assert line["status"] == "static"
        assert line["epipole"] is None
    for path in (tmp_path / "arrays").glob("*.npz"):
        assert np.isnan(read_npz(path)["inverse_depth"]).all()


def test_pairs_of_damaged_frames_are_marked_and_counted(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mov", "prores_ks", pix_fmt="yuv422p10le", count=12)
    start, size = packet_bytes(path)[6]
    zero_hole(path, start + size // 4, size // 2)
    done = run(tmp_path, "clip.mov", "--plot_flow", "-o", "jsonl:log", "-o", "npz:arrays", code=5)
    assert "2 pairs lie on damaged frames" in done.stderr
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert [line["index"] for line in lines if line["damaged"]] == [6, 7]
    assert [line["index"] for line in lines if line["starts_segment"]] == [1, 8]
    arrays = [read_npz(path) for path in sorted((tmp_path / "arrays").glob("*.npz"))]
    assert [found["index"] for found in arrays if found["damaged"]] == [6, 7]


def test_ctrl_c_closes_every_output(tmp_path: Path) -> None:
    process = subprocess.Popen(
        command("demo:forward,size=233x141,frames=100000", "-o", "out.mp4", "-o", "jsonl:log", "-o", "png:p"),
        cwd=tmp_path, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    until(lambda: len(list((tmp_path / "p").glob("*.png"))) >= 5, 200)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    with av.open(str(tmp_path / "out.mp4")) as container:
        pictures = len(list(container.decode(video=0)))
    assert (
        pictures
        == len((tmp_path / "log").read_text().splitlines())
        == len(list((tmp_path / "p").glob("*.png")))
    )


BAD = {
    "missing file": (["nowhere.mp4"], 3, "nowhere.mp4"),
    "folder without images": (["empty"], 3, "empty"),
    "no video": (["text.mp4"], 3, "text.mp4"),
    "camera that does not exist": (["97"], 3, "97"),
    "no scene": (["demo:nowhere"], 3, "nowhere"),
    "no display": (["demo:still,size=64x48", "-o", "window"], 4, "DISPLAY"),
    "unknown ending": (["demo", "-o", "out.xyz"], 2, "out.xyz"),
    "unwritable": (["demo", "-o", "/proc/out.mp4"], 4, "/proc"),
    "threshold": (["demo", "--threshmin", "x"], 2, "--threshmin"),
    "negative threshold": (["demo", "--threshmin", "-1"], 2, "--threshmin"),
    "camera matrix": (["demo", "--camera", "1,2,3"], 2, "4 numbers"),
    "warning": (["demo", "--warn-below", "0"], 2, "--warn-below"),
    "warning without a clock": (["pictures", "--warn-below", "2", "-o", "jsonl:-"], 2, "--fps"),
    "no calibration": (["demo", "--camera", "nowhere.yaml"], 2, "nowhere.yaml"),
    "region": (["demo", "--region", "1,2,3"], 2, "--region"),
    "region outside": (["demo", "--planar_flow", "--region", "900,0,50,50"], 2, "--region"),
    "unknown flag": (["demo", "--frobnicate"], 2, "--frobnicate"),
    "no source": ([], 2, "SOURCE"),
    "two scales": (["demo", "--speed", "1", "--baseline", "1"], 2, "--baseline"),
    "two cameras": (["demo", "--camera", "1,1,1,1", "--fov", "60"], 2, "--fov"),
    "one output, two sources": (["demo", "demo:still", "-o", "out.mp4"], 2, "{stem}"),
    "no truth": (["evaluate", "empty"], 3, "empty"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_mistake_is_one_line_with_its_exit_code_and_leaves_nothing(name: str, tmp_path: Path) -> None:
    arguments, code, words = BAD[name]
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.mp4").write_text("this is no video\n" * 50)
    (tmp_path / "pictures").mkdir()
    for index in range(2):
        cv2.imwrite(str(tmp_path / f"pictures/{index}.png"), np.zeros((48, 64), np.uint8))
    before = set(tmp_path.rglob("*"))
    done = run(tmp_path, *arguments, code=code)
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert words in lines[0]
    assert not done.stdout
    assert set(tmp_path.rglob("*")) == before


def test_damaged_input_is_used_and_reported(tmp_path: Path) -> None:
    (tmp_path / "frames").mkdir()
    for frame in open_source("demo:oblique,size=97x61,frames=5"):
        cv2.imwrite(str(tmp_path / f"frames/{frame.index}.png"), frame.image)
    whole = (tmp_path / "frames/2.png").read_bytes()
    (tmp_path / "frames/2.png").write_bytes(whole[: len(whole) // 2])
    done = run(tmp_path, "frames", "--epipole", "-o", "jsonl:log", code=5)
    assert "2.png" in done.stderr
    pairs = [
        (line["reference"], line["target"])
        for line in map(json.loads, (tmp_path / "log").read_text().splitlines())
    ]
    assert len(pairs) == 2  # 0-1 and 3-4: none across the hole


@pytest.mark.parametrize(
    ("scene", "options", "said"),
    [
        ("pan,fov=40", (), "estimated from the camera's turns"),
        ("oblique", ("--baseline", "0.1"), "assumed; the metres are as uncertain as that"),
        ("oblique", ("--fov", "60"), None),
    ],
)
def test_it_says_how_the_lens_is_known(
    tmp_path: Path, scene: str, options: tuple[str, ...], said: str | None
):
    """Pictures in a folder know nothing of the camera that took them."""
    run(tmp_path, f"demo:{scene},size=167x125,frames=6", "--view", "image", "--clean", "-o", "png:frames")
    done = run(tmp_path, "frames", *options, "-o", "jsonl:log.jsonl", "--depth")
    lines = [line for line in done.stderr.splitlines() if line.startswith("field of view")]
    assert len(lines) == (said is not None)
    assert all(said in line for line in lines if said is not None)
