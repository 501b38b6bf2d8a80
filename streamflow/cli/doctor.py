"""`stream.py doctor`: what this machine can do."""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from rich.console import Console
from rich.table import Table

from sinks.writing.display import check_display
from streamflow.cli.arguments import Parser
from streamflow.cli.webcams import webcams
from streamflow.errors import SinkError

LIBRARIES = ("opencv-python", "numpy", "scipy", "matplotlib", "rich", "av", "numba", "rosbags", "OpenEXR")
CODECS = {
    "write mp4, mkv": ("libx264", "w"),
    "write webm": ("libvpx-vp9", "w"),
    "write depth:FILE.mkv": ("ffv1", "w"),
    "read H.264": ("h264", "r"),
    "read HEVC": ("hevc", "r"),
    "read AV1": ("libdav1d", "r"),
    "read VP9": ("vp9", "r"),
}


def doctor(argv: Sequence[str]) -> int:
    """Print the table; the exit code is 0 whatever it says, for every part can be done without."""
    Parser("doctor", description="What this machine can do.").parse_args(argv)
    table = Table("", "", "", title=f"Python {platform.python_version()} on {platform.platform()}")
    for name, (fine, words) in findings().items():
        table.add_row("[green]yes[/]" if fine else "[yellow]no[/]", name, words)
    Console().print(table)
    return 0


def findings() -> dict[str, tuple[bool, str]]:
    """Return what was found: name, whether it is fine, and in a few words."""
    found = {name: _library(name) for name in LIBRARIES}
    found.update({name: _codec(codec, mode) for name, (codec, mode) in CODECS.items()})
    found["window"] = _attempt(check_display, "a display answers")
    cameras = {f"camera {device}": (True, said) for device, said in _webcams().items()}
    return found | (cameras or {"camera": (False, "no /dev/video*")})


def _webcams() -> dict[str, str]:
    devices = sorted(Path("/dev").glob("video*"))
    if not devices:
        return {}
    from fcntl import ioctl

    return webcams(ioctl, devices)


def _library(name: str) -> tuple[bool, str]:
    try:
        return True, version(name)
    except PackageNotFoundError:
        return False, f"not installed: pip install {name}"


def _codec(codec: str, mode: str) -> tuple[bool, str]:
    import av

    try:
        return True, av.Codec(codec, "w" if mode == "w" else "r").long_name
    except ValueError:
        return False, f"{codec} is not in this build of PyAV"


def _attempt(check: Callable[[], None], success: str) -> tuple[bool, str]:
    try:
        check()
    except SinkError as error:
        return False, str(error)
    return True, success
