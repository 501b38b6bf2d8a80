"""Where results go: one adapter a file, one line each in `SINKS`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

from streamflow.registry import Entry, Registry, prefixed

if TYPE_CHECKING:
    from streamflow.draw.painter import Painter
    from streamflow.options import Knobs
    from streamflow.stages import Stage
    from streamflow.values import Frame, Result, SourceInfo


class Sink(Protocol):
    """Takes results in order.

    The constructor checks what can be checked before the first result and raises `SinkError`; it leaves
    nothing on disk that an empty stream would have to clean up. `close` finishes what was begun: a file
    stands under its final name only when it is whole.
    """

    needs: ClassVar[frozenset[Stage]]  # stages whose values it writes; empty: whatever was asked for

    def write(self, result: Result) -> None:
        """Take one result."""

    def close(self) -> None:
        """Finish what was begun; a second call does nothing."""


@runtime_checkable
class Holding(Protocol):
    """A sink that has a picture for every frame of the stream, also for one that shows the last again."""

    def hold(self, frame: Frame) -> None:
        """Show the last picture again, at the time of `frame`."""


@runtime_checkable
class Announced(Protocol):
    """A sink that has something to say before the first result, such as where it can be looked at."""

    announcement: str


@dataclass(frozen=True)
class Run:
    """What a sink may know of the run it belongs to."""

    source: SourceInfo
    painter: Painter  # draws the annotated picture, once a result for all sinks
    knobs: Knobs  # what a viewer may turn while the stream runs
    overwrite: bool = False
    settings: dict[str, Any] = field(default_factory=dict)  # options of the run, for sidecars
    source_state: str | None = None  # changes with the files of the source; None: there are none
    audio: str | None = None  # file whose sound goes into the annotated video
    compress: bool = False  # npz files
    realtime: bool = False  # the window and the page show a file in its own time
    resume: bool = False  # continue what an interrupted run with the same provenance left

    @property
    def provenance(self) -> dict[str, Any]:
        """What decides the content of every output."""
        return {"source": self.source.name, "source_state": self.source_state, "settings": self.settings}


SINKS = Registry(
    "output",
    "streamflow.sinks",
    {
        "video": Entry(
            "sinks.video:VideoSink",
            "FILE.mp4|.mkv|.webm|.mov",
            "annotated video",
            lambda s: re.fullmatch(r"(?![a-z]{2,}:).+\.(mp4|mkv|webm|mov)", s, re.IGNORECASE) is not None,
        ),
        "png": Entry("sinks.png:PngSink", "png:DIR", "annotated frames", prefixed("png")),
        "depth_video": Entry(
            "sinks.depth_video:DepthVideoSink",
            "depth:FILE.mkv",
            "inverse depth as lossless 16-bit video",
            lambda s: s.startswith("depth:") and s.lower().endswith(".mkv"),
        ),
        "depth": Entry(
            "sinks.depth:DepthSink",
            "depth:DIR",
            "inverse depth as 16-bit PNG with a sidecar",
            prefixed("depth"),
        ),
        "mask": Entry(
            "sinks.mask:MaskSink", "mask:DIR", "what moves by itself, as indexed PNG", prefixed("mask")
        ),
        "flo": Entry("sinks.flo:FloSink", "flo:DIR", "flow in Middlebury's format", prefixed("flo")),
        "kitti": Entry("sinks.kitti:KittiSink", "kitti:DIR", "flow as KITTI's 16-bit PNG", prefixed("kitti")),
        "pfm": Entry("sinks.pfm:PfmSink", "pfm:DIR", "inverse depth as float PFM", prefixed("pfm")),
        "npz": Entry("sinks.npz:NpzSink", "npz:DIR", "every map as numpy arrays", prefixed("npz")),
        "exr": Entry(
            "sinks.exr:ExrSink", "exr:DIR", "depth and motion vectors for compositing", prefixed("exr")
        ),
        "ply": Entry(
            "sinks.ply:PlySink", "ply:DIR", "coloured point clouds of the sure pixels", prefixed("ply")
        ),
        "poses": Entry(
            "sinks.poses:PosesSink",
            "poses:FILE",
            "trajectory in TUM's form, or KITTI's for FILE.kitti",
            prefixed("poses"),
        ),
        "bag": Entry(
            "sinks.bag:BagSink",
            "bag:DIR[,points]",
            "ROS 2 bag: picture, depth, camera, transform, odometry",
            prefixed("bag"),
        ),
        "jsonl": Entry("sinks.jsonl:JsonlSink", "jsonl:FILE|-", "one JSON object a pair", prefixed("jsonl")),
        "figure": Entry(
            "sinks.figure:FigureSink",
            "figure:DIR",
            "plots with axes and colour bars",
            prefixed("figure"),
        ),
        "window": Entry(
            "sinks.window:WindowSink", "window", "a live window", lambda s: s == "window", keeps=False
        ),
        "web": Entry(
            "sinks.web:WebSink",
            "web:[HOST:]PORT",
            "a live page; without HOST for this machine's browsers only",
            prefixed("web"),
            keeps=False,
        ),
    },
)


def path_of(spelling: str) -> Path | None:
    """Return the file or folder that an output writes; None for a window, a pipe, a port."""
    entry = SINKS.find(spelling)
    place = Path(_place(spelling, entry.form))
    if not entry.keeps or str(place) == "-":
        return None
    return place if place.is_file() or place.is_dir() or not place.exists() else None


def open_sink(spelling: str, run: Run) -> Sink:
    """Open the output that `spelling` names, such as "out.mp4" or "png:frames".

    Raises
    ------
    SinkError
        It cannot be written, or exists already and `run.overwrite` is not set.
    """
    entry = SINKS.find(spelling)
    sink: Sink = entry.load()(_place(spelling, entry.form), run)
    return sink


def _place(spelling: str, form: str) -> str:
    return spelling.removeprefix(form.partition(":")[0] + ":")
