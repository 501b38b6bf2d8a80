"""Where frames come from: one adapter a file, one line each in `SOURCES`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from inspect import signature
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from sources.reading.bag_files import is_bag
from sources.reading.image_files import PRINTF, is_image
from sources.reading.playlist import chapters, is_list
from streamflow.errors import UsageError
from streamflow.registry import Entry, Registry

if TYPE_CHECKING:
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


def _is_images(spec: str) -> bool:
    path = Path(spec)
    if path.is_file():
        return is_image(spec)
    return path.is_dir() or any(sign in spec for sign in "*?[") or PRINTF.search(spec) is not None


FLOW_TRUTH = ("flow[0-9]*.flo", "*_flow.flo", "flow_occ")


def _has_truth(spec: str) -> bool:
    folder = Path(spec)
    sequence = (folder / "image").is_dir()
    names = ("poses_c2w.txt", "truth.json", "mask") if sequence else FLOW_TRUTH
    return any(any(folder.glob(name)) for name in names)


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
        "bag": Entry(
            "sources.bag:BagSource",
            "FILE.bag|.mcap|.db3|FOLDER[:TOPIC]",
            "a ROS bag: its pictures, their times and calibration",
            is_bag,
        ),
        "sequence": Entry(
            "sources.benchmark:SequenceSource",
            "FOLDER",
            "a benchmark folder with ground truth: poses_c2w.txt, truth.json, mask/, flow10.flo, flow_occ/",
            _has_truth,
        ),
        "images": Entry(
            "sources.images:ImagesSource",
            "FOLDER|GLOB|IMAGE...",
            "a folder, a pattern such as left_%04d.png, images in order, a file of many pages",
            _is_images,
        ),
        "joined": Entry(
            "sources.joined:JoinedSource",
            "LIST.txt",
            "files listed for ffmpeg's concat, as one video (also: several files with --join)",
            is_list,
        ),
        "stdin": Entry(
            "sources.stdin:StdinSource", "-", "a video file or stream that is piped in", lambda s: s == "-"
        ),
        "video": Entry(
            "sources.video:VideoSource",
            "FILE",
            "a video file",
            lambda s: True,
        ),
    },
)


def grouped(specs: Sequence[str], join: bool = False) -> list[str | tuple[str, ...]]:
    """`specs` with those made one that are parts of one stream.

    Single pictures side by side are its frames; with `join`, all are one video.
    """
    if join:
        return [tuple(chapters(specs))]
    groups: list[str | tuple[str, ...]] = []
    for still, members in groupby(specs, _is_still):
        stills = tuple(members)
        groups.extend([stills] if still and len(stills) > 1 else stills)
    return groups


def _is_still(spec: str) -> bool:
    from sources.reading.image_file import holds_one_picture

    return Path(spec).is_file() and is_image(spec) and holds_one_picture(Path(spec))


def open_source(spec: str | Sequence[str], **options: Any) -> Source:
    """Open the source that `spec` names.

    Parameters
    ----------
    spec : str or sequence of str
        "demo", a camera index, a URL, a folder or glob of images, or a video file; or the parts of one
        stream in order: images, or video files.
    **options
        Fields of `SourceOptions`.

    Raises
    ------
    UsageError
        An option makes no sense, or this source cannot use it.
    SourceError
        The input is missing or is not what its name says.
    """
    from sources.options import RESHAPING, SELECTING, SourceOptions
    from sources.reading.panorama import flat
    from sources.reading.reshape import Reshaped, check_size
    from sources.reading.selection import Selection

    wanted = SourceOptions(**options)
    asked = wanted.asked()
    source: Source = _open(spec, asked)
    try:
        source = flat(source, wanted.view360)
        if asked.keys() & RESHAPING:
            source = Reshaped(source, wanted)
        check_size(source.info)
    except BaseException:
        source.close()
        raise
    return Selection(source, wanted) if asked.keys() & SELECTING else source


def _open(spec: str | Sequence[str], asked: dict[str, Any]) -> Source:
    """Give an adapter the options that it takes; refuse those that are of no use to it."""
    from sources.options import OF_ANY_SOURCE, USERS

    adapter = _entry(spec).load()
    takes = signature(adapter).parameters
    for name in asked.keys() - OF_ANY_SOURCE - takes.keys():
        raise UsageError(f"{spec}: `{name}` is of no use here, only for {USERS[name]}; leave it out")
    source: Source = adapter(spec, **{name: value for name, value in asked.items() if name in takes})
    return source


def _entry(spec: str | Sequence[str]) -> Entry:
    if isinstance(spec, str):
        return SOURCES.find(spec)
    return SOURCES.entries["images" if all(map(is_image, spec)) else "joined"]
