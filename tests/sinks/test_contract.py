"""What every sink promises, whatever it writes."""

from __future__ import annotations

import os
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sinks import SINKS, open_sink
from sinks.read import (
    read_manifest,
    read_sidecar,
)
from streamflow.errors import SinkError, UsageError
from tests.support.full_disk import limited_file_size
from tests.support.made_results import INFO, K, files_in, make_results, make_run, write_all

TARGETS = {
    "video": "out.mp4",
    "png": "png:out",
    "depth_video": "depth:out.mkv",
    "depth": "depth:out",
    "flo": "flo:out",
    "kitti": "kitti:out",
    "pfm": "pfm:out",
    "npz": "npz:out",
    "exr": "exr:out",
    "ply": "ply:out",
    "poses": "poses:out.txt",
    "mask": "mask:out",
    "bag": "bag:out",
    "jsonl": "jsonl:out.jsonl",
    "figure": "figure:out",
}
# A bag is a folder that is written like a file: see also test_bag.
FOLDERS = [spelling for name, spelling in TARGETS.items() if "." not in spelling and name != "bag"]
FILES = [spelling for spelling in TARGETS.values() if "." in spelling]


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


def test_every_sink_that_keeps_something_is_tested_here():
    assert TARGETS.keys() == {name for name, entry in SINKS.entries.items() if entry.keeps}


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
    for result in make_results()[:2]:  # one may wait for the next
        first.write(result)
    with pytest.raises(SinkError, match=r"writes to it"):
        write_all(second, make_results()[:2])
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


@pytest.mark.parametrize("spelling", TARGETS.values())
def test_new_folders_are_made_with_the_first_result(spelling, current_folder):
    prefix, _, name = spelling.rpartition(":")
    path = f"new/folder/{name}"
    sink = open_sink(f"{prefix}:{path}" if prefix else path, make_run())
    assert files_in(current_folder) == []
    assert not (current_folder / "new").exists()
    write_all(sink, make_results()[:2])
    assert Path(path).exists()


def following(name: str) -> str:
    """The name of the frame after that of `name`."""
    return f"frame_{int(name[6:12]) + 1:06d}"


@pytest.mark.parametrize("spelling", FOLDERS)
def test_a_full_disk_keeps_the_files_before_it_and_no_part_of_the_next(spelling, current_folder):
    results = make_results(size=(167, 101))
    sink = open_sink(spelling, make_run())
    for result in results[:2]:  # one may wait for the next
        sink.write(result)
    before = [name for name in files_in(current_folder / "out") if "frame" in name]
    size = (current_folder / "out" / before[0]).stat().st_size
    with limited_file_size(size // 2), pytest.raises(SinkError, match=rf"{following(before[-1])}.*too large"):
        sink.write(results[2])
    sink.close()
    frames = [name for name in files_in(current_folder / "out") if "frame" in name]
    assert frames == before
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
    assert sidecar["camera"]["source"] == "assumed"
    assert sidecar["rectified"] is False
    assert sidecar["size"] == [67, 45]
    assert sidecar["registered_on"] == "newest frame"
    assert sidecar["quantity"]


def test_a_torn_last_line_of_the_manifest_is_left_out():
    write_all(open_sink("pfm:out", make_run()), make_results())
    manifest = Path("out/manifest.jsonl")
    manifest.write_bytes(manifest.read_bytes()[:-20])
    assert len(read_manifest("out")[1]) == 4
