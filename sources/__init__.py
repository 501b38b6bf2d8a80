"""Where frames come from: one adapter a file, one line each in `SOURCES`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from streamflow.registry import Entry, Registry

if TYPE_CHECKING:
    from fractions import Fraction

    from streamflow.values import Frame, Health, SourceInfo


class Source(Protocol):
    """Hands out frames in order; iterated once.

    The constructor opens the input and raises `SourceError` if it cannot. What goes wrong later but
    leaves frames to come is counted in `health`; a break in the sequence is marked in `Frame.gap`.
    """

    info: SourceInfo
    health: Health

    def __iter__(self) -> Iterator[Frame]: ...

    def close(self) -> None:
        """Release the input; a second call does nothing."""


def _is_glob_or_folder(spelling: str) -> bool:
    path = Path(spelling)
    return path.is_dir() or (any(sign in spelling for sign in "*?[") and not path.is_file())


def _has_truth(spelling: str) -> bool:
    folder = Path(spelling)
    return any(
        any(folder.glob(name)) for name in ("poses_c2w.txt", "flow[0-9]*.flo", "*_flow.flo", "flow_occ")
    )


SOURCES = Registry(
    "source",
    "streamflow.sources",
    {
        "synthetic": Entry(
            "sources.synthetic:SyntheticSource",
            "demo[:SCENE]",
            "a rendered scene whose exact flow, epipole and depth are known",
            lambda s: s == "demo" or s.startswith("demo:"),
        ),
        "camera": Entry(
            "sources.camera:CameraSource",
            "INDEX|/dev/...",
            "a webcam, by its number or device",
            lambda s: s.isdecimal() or s.startswith(("/dev/video", "/dev/v4l")),
        ),
        "network": Entry(
            "sources.network:NetworkSource",
            "URL",
            "a network camera: rtsp://, http://, ...",
            lambda s: re.match(r"[a-z][a-z0-9+.-]+://", s) is not None,
        ),
        "sequence": Entry(
            "sources.benchmark:SequenceSource",
            "FOLDER",
            "a benchmark folder with ground truth: poses_c2w.txt, flow10.flo, flow_occ/",
            _has_truth,
        ),
        "images": Entry(
            "sources.images:ImagesSource",
            "FOLDER|GLOB",
            "a folder or a pattern of images, in natural order",
            _is_glob_or_folder,
        ),
        "video": Entry("sources.video:VideoSource", "FILE", "a video file", lambda s: True),
    },
)


def open_source(spelling: str, *, fps: Fraction | None = None, every_frame: bool = False) -> Source:
    """Open the source that `spelling` names.

    Parameters
    ----------
    spelling : str
        "demo", a camera index, a URL, a folder or glob of images, or a video file.
    fps : Fraction, optional
        Time base of sources that have none of their own (image folders).
    every_frame : bool
        Live sources: never drop a frame, let the camera wait instead.

    Raises
    ------
    SourceError
        The input is missing or is not what its name says.
    """
    source: Source = SOURCES.find(spelling).load()(spelling, fps=fps, every_frame=every_frame)
    return source
