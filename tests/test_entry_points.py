"""Sinks and sources of other packages: a package is installed, and its adapters are there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

MODULE = """
from fractions import Fraction
from pathlib import Path

import numpy as np

from streamflow.values import Frame, Health, SourceInfo


class Counter:
    needs = frozenset()

    def __init__(self, target, run):
        self.path, self.count = Path(target), 0

    def write(self, result):
        self.count += 1

    def close(self):
        self.path.write_text(str(self.count))


class Noise:
    def __init__(self, spelling, **options):
        self.frames = int(spelling.partition(":")[2])
        self.health = Health()
        self.info = SourceInfo(spelling, "noise", length=self.frames)

    def __iter__(self):
        picture = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
        for index in range(self.frames):
            yield Frame(index, np.roll(picture, index, axis=1), Fraction(index, 25))

    def close(self):
        pass
"""
INFO = "example-1.0.dist-info"
WHEEL = {
    "example.py": MODULE,
    f"{INFO}/METADATA": "Metadata-Version: 2.1\nName: example\nVersion: 1.0\n",
    f"{INFO}/WHEEL": "Wheel-Version: 1.0\nGenerator: by hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    f"{INFO}/entry_points.txt": (
        "[streamflow.sinks]\ncount = example:Counter\npng = example:Counter\n"
        "[streamflow.sources]\nnoise = example:Noise\n"
    ),
    f"{INFO}/RECORD": "",
}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder that pip installed the package in."""
    folder = tmp_path_factory.mktemp("entry_points")
    wheel = folder / "example-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in WHEEL.items():
            archive.writestr(name, text)
    site = folder / "site"
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-deps", "--target", str(site)]
    subprocess.run([*pip, str(wheel)], check=True)
    return site


def stream(installed: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    command = [sys.executable, str(ROOT / "stream.py"), *arguments]
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True)


def test_a_run_from_another_package_s_source_to_its_sink(installed: Path, tmp_path: Path) -> None:
    done = stream(installed, tmp_path, "noise:4", "--plot_flow", "-o", "count:pairs.txt", "-o", "png:out")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "pairs.txt").read_text() == "3"
    assert (tmp_path / "out" / "frame_000003.png").exists()  # our own forms cannot be taken


def test_the_help_and_the_error_that_lists_what_there_is_name_them(installed: Path, tmp_path: Path) -> None:
    said = stream(installed, tmp_path, "--help").stdout
    for form in ("count", "noise"):
        assert re.search(rf"{form}:\.\.\. +from example", said)
    error = stream(installed, tmp_path, "noise:4", "-o", "nonsense:x").stderr
    assert "no such output" in error
    assert "count:..." in error
