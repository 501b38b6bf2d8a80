"""`evaluate` on folders whose truth the test writes itself, in each layout that is read."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from sources import open_source
from sources.synthetic import SyntheticSource
from stream import main
from streamflow.evaluation.truth import pair_truth
from streamflow.formats import flo, kitti
from streamflow.values import Frame, FramePair

SIZE = (125, 93)


def rendered(scene: str, count: int = 3) -> list[Frame]:
    return list(SyntheticSource(f"demo:{scene},size={SIZE[0]}x{SIZE[1]},frames={count}"))


def write(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image)


def write_sequence(folder: Path, frames: list[Frame], *, poses: bool = True, scale: int = 5000) -> None:
    np.savetxt((folder / "K.txt"), frames[0].truth.camera_matrix)
    if poses:
        np.savetxt(folder / "poses_c2w.txt", [frame.truth.pose[:3].ravel() for frame in frames])
    for i, frame in enumerate(frames):
        write(folder / f"image/{i:06d}.png", frame.image)
        depth = frame.truth.depth * scale
        depth = np.where(depth < 2**16 - 1, depth, 0).astype(np.uint16)  # too far for the format: unknown
        write(folder / f"depth/{i:06d}.png", depth)
        write(folder / f"mask/{i:06d}.png", frame.truth.moving.astype(np.uint8) * 255)


def write_flow(folder: Path, layout: str, frames: list[Frame]) -> np.ndarray:
    """Write a pair and its flow, unknown at one pixel, and return the flow."""
    vectors = pair_truth(FramePair(frames[0], frames[1])).vectors
    vectors[5, 7] = np.nan
    names = {
        "middlebury": ("frame10.png", "frame11.png", "flow10.flo"),
        "kitti": ("image_2/000000_10.png", "image_2/000000_11.png", "flow_occ/000000_10.png"),
        "chairs": ("00001_img1.ppm", "00001_img2.ppm", "00001_flow.flo"),
    }[layout]
    for name, frame in zip(names[:2], frames, strict=False):
        write(folder / name, frame.image)
    path = folder / names[2]
    path.parent.mkdir(exist_ok=True)
    known = np.isfinite(vectors[..., 0])
    path.write_bytes(kitti.encode(vectors, known) if layout == "kitti" else flo.encode(vectors))
    return vectors


def records(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict]:
    assert main(["evaluate", *arguments, "--json"]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize("layout", ["middlebury", "kitti", "chairs"])
def test_flow_as_our_own_formats_write_it_is_read_back_as_truth(layout: str, tmp_path: Path) -> None:
    vectors = write_flow(tmp_path, layout, rendered("oblique"))
    first, second = open_source(str(tmp_path))
    found = pair_truth(FramePair(first, second)).vectors
    np.testing.assert_array_equal(np.isnan(found), np.isnan(vectors))
    # Half a step of the format, and float32 at its offset of 2^15.
    np.testing.assert_allclose(found, vectors, atol=1 / 128 + 2**-15 if layout == "kitti" else 0)


def test_a_sequence_is_read_back_with_all_that_is_true_of_it(tmp_path: Path) -> None:
    frames = rendered("traffic")
    write_sequence(tmp_path, frames, scale=256)
    (tmp_path / "truth.json").write_text(
        '{"camera": "forward", "epipole_px": [62, 46], "tolerance_px": 3, "fov": 60}'
    )
    write(tmp_path / "ignore/000001.png", np.full(SIZE[::-1], 255, np.uint8))
    for frame, found in zip(frames, open_source(str(tmp_path)), strict=True):
        np.testing.assert_allclose(found.truth.pose, frame.truth.pose, atol=1e-9)
        np.testing.assert_allclose(found.truth.depth, frame.truth.depth, atol=1 / 256)
        np.testing.assert_array_equal(found.truth.moving, frame.truth.moving)
        assert (found.truth.ignored is not None) == (found.index == 1)
        camera = found.truth.camera
        assert (camera.kind, camera.tolerance, camera.fov) == ("moving", 3, 60)
        np.testing.assert_array_equal(camera.epipole, (62, 46))


def test_evaluate_prints_one_object_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("posed", "lidar", "flow"):
        (tmp_path / name).mkdir()
    frames = rendered("forward,speed=3", 4)  # flow of 3 px: depth is 7% off at this size
    write_sequence(tmp_path / "posed", frames)
    write_sequence(tmp_path / "lidar", frames, poses=False, scale=256)
    x, y = frames[0].truth.camera_matrix[:2, 2]
    (tmp_path / "lidar/truth.json").write_text(json.dumps({"camera": "forward", "epipole_px": [x, y]}))
    write_flow(tmp_path / "flow", "kitti", rendered("oblique"))
    posed, lidar, flow = records(capsys, *(str(tmp_path / name) for name in ("posed", "lidar", "flow")))
    assert flow["epe_median"] < 0.1
    assert posed["direction_error_deg_median"] < 2
    assert lidar["called_moving_percent"] == 100
    assert lidar["epipole_error_px_median"] < 4
    assert lidar["status_changes_per_100"] == 0
    for record in (posed, lidar):
        for prefix in ("", "fused_"):
            assert record[f"{prefix}depth_error_median"] < 0.1
            assert 0.3 < record[f"{prefix}depth_coverage"] <= 1
            assert record[f"{prefix}wild_percent"] < 2
        assert record["filled_depth_coverage"] > 0.98
        assert record["filled_depth_error_median"] < 0.15
    assert posed["trajectory_drift_percent"] < 5
    assert "trajectory_drift_percent" not in lidar


def test_evaluate_takes_a_rendered_scene(capsys: pytest.CaptureFixture[str]) -> None:
    (record,) = records(capsys, f"demo:still,size={SIZE[0]}x{SIZE[1]},frames=3")
    assert record["translation_claimed_percent"] == 0
    assert record["fov_error_percent"] == pytest.approx(0)


@pytest.mark.parametrize("text", ["no json", '{"camera": "flying"}', '{"epipole_px": [1]}', "[]"])
def test_a_broken_truth_is_one_line(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_sequence(tmp_path, rendered("still", 2))
    (tmp_path / "truth.json").write_text(text)
    assert main(["evaluate", str(tmp_path)]) == 3
    (line,) = capsys.readouterr().err.splitlines()
    assert "truth.json: not the truth of a camera" in line


def test_doctor_runs_to_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    assert "numba" in capsys.readouterr().out
