"""The command line: what can be asked for, and the first check of what was."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import fields
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NoReturn

from sinks import SINKS
from sources import SOURCES, grouped
from streamflow import __version__
from streamflow.cli.many_arguments import add_many_options, count
from streamflow.cli.source_arguments import add_source_options, rectangle
from streamflow.cli.specs import expanded
from streamflow.cli.typed import typed
from streamflow.draw.views import ALL_VIEWS, COLOURS, VIEWS
from streamflow.errors import UsageError
from streamflow.options import CHOICES, Knobs, Options
from streamflow.registry import Registry

if TYPE_CHECKING:
    from streamflow.geometry.camera import Calibration
    from streamflow.picture_mask import PictureMask

LISTS = f"  {'@LIST|@-':26}a file with one SOURCE a line, or standard input; so is a pattern of videos\n"
EXAMPLES = """\
examples:
  python stream.py demo                                       a rendered scene; prints its errors
  python stream.py drive.mp4                                  depth, as drive_streamflow.mp4
  python stream.py drive.mp4 --epipole --depth -o out.mp4 -o depth:maps -o jsonl:log.jsonl
  python stream.py frames/ --plot_flow --threshmin 20 -o png:arrows
  python stream.py 0                                          webcam, live window
  python stream.py rtsp://192.0.2.7/live --fov 75 -o out.mp4
  python stream.py clips/*.mp4 --jobs 4 -n -o out/{stem}.mp4  many videos, without those that are finished
  python stream.py evaluate FOLDER...                         errors against ground truth
  python stream.py doctor                                     what this machine can do
  python stream.py warm                                       compile now what runs need
"""


class Parser(argparse.ArgumentParser):
    """Reports nonsense as the one-line error it is."""

    def __init__(self, *command: str, **other: Any) -> None:
        super().__init__(prog=typed(*command), **other)

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing the usage and exiting."""
        raise UsageError(f"{message}; {self._hint(message)}see {self.prog} --help")

    def _hint(self, message: str) -> str:
        """Which option was meant, if one is spelt much like what there is none of."""
        _, _, unknown = message.partition("unrecognized arguments: ")
        options = [word.partition("=")[0] for word in unknown.split() if word.startswith("-")]
        close = get_close_matches(options[0], self._option_string_actions, n=1) if options else []
        return f"did you mean {close[0]}? " if close else ""


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Read the command line of a streaming run.

    Raises
    ------
    UsageError
        It makes no sense.
    """
    arguments = _parser().parse_args(argv)
    options(arguments)
    if arguments.grey and (arguments.view or arguments.colours):
        raise UsageError("--grey is --view depth --colours grey --clean: leave out --view and --colours")
    if arguments.resume and arguments.overwrite:
        raise UsageError("--resume keeps what is there, -y replaces it: give one")
    if arguments.jobs is not None and arguments.scheduler is not None:
        raise UsageError("--jobs is for this machine, --scheduler for a cluster: give one")
    arguments.sources = grouped(expanded(arguments.sources), arguments.join)
    return arguments


def with_flags(message: str) -> str:
    """Name options as the command line has them: what the method calls `warn_below` is --warn-below here."""
    return re.sub(r"`(\w+)`", lambda found: "--" + found[1].replace("_", "-"), message)


def options(arguments: argparse.Namespace) -> Options:
    """Return the part of the command line that the method reads, checked."""
    Knobs(arguments.threshmin)
    return Options(**{field.name: getattr(arguments, field.name) for field in fields(Options)})


def add_method_options(parser: argparse._ArgumentGroup | argparse.ArgumentParser) -> None:
    """Add the options that `Knobs` and `Options` hold."""
    default = Options()
    add = parser.add_argument
    add("--threshmin", type=float, default=Knobs().threshmin, metavar="N",
        help="least smin that counts as evidence, grey levels a pixel (default: %(default)g)")  # fmt: skip
    add("--flow", choices=CHOICES["flow"], default=default.flow,
        help="how much time to spend on the flow; plain: Lucas-Kanade's closed form, for motions of about a "
             "pixel (default: %(default)s)")  # fmt: skip
    add("--motion", choices=CHOICES["motion"], default=default.motion,
        help="translation: the camera is known not to rotate (default: %(default)s)")  # fmt: skip
    add("--reference", choices=CHOICES["reference"], default=default.reference,
        help="frame the maps are registered on; previous is the benchmarks' convention "
             "(default: %(default)s)")  # fmt: skip
    add("--fuse", action=argparse.BooleanOptionalAction, default=default.fuse,
        help="filter the depth over time (default: on)")  # fmt: skip
    add("--fill", action="store_true",
        help="complete the depth where nothing was measured; marked in the data")  # fmt: skip
    add("--warn-below", type=float, metavar="SECONDS",
        help="warn of obstacles less than SECONDS ahead: outlined in every view, and in jsonl: with time, "
             "box and share of the image")  # fmt: skip
    add("--region", type=rectangle, metavar="x,y,w,h", help="where to look for a plane, pixels")
    add("--mask", type=_mask, metavar="FILE",
        help="image of the pictures' shape; where it is black nothing is looked at")  # fmt: skip
    add("--camera", type=_calibration, metavar="FILE|fx,fy,cx,cy",
        help="calibration of OpenCV, ROS, Kalibr, COLMAP, KITTI ... (FILE#NAME: one of several)")  # fmt: skip
    add("--fov", type=float, metavar="DEG", help="horizontal field of view, instead of --camera")
    add("--speed", type=float, metavar="M/S", help="speed of the camera: depth in metres")
    add("--baseline", type=float, metavar="M", help="distance between two frames: depth in metres")
    add("--camera-height", type=float, metavar="M",
        help="height of the camera above the ground: depth in metres, once the ground is found")  # fmt: skip
    add("--known", type=_known, metavar="x,y,METRES",
        help="distance of what is seen at pixel x,y at the start: depth in metres")  # fmt: skip


def _parser() -> Parser:
    program = typed()
    parser = Parser(
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage=f"{program} SOURCE... [--plot_flow] [--epipole] [--depth] [--planar_flow] [--moving]\n"
        f"       [options]\n       {program} evaluate FOLDER...\n       {program} doctor | warm",
        description="Flow, camera heading, depth and planes of any video, as it streams.",
        epilog=f"SOURCE is one of\n{_listed(SOURCES)}{LISTS}\nTARGET is one of\n{_listed(SINKS)}\n"
        f"{EXAMPLES.replace('python stream.py', program)}",
    )
    parser.add_argument("--version", action="version", version=f"streamflow {__version__}")
    parser.add_argument("sources", nargs="+", metavar="SOURCE", help="what to look at: see below")
    _add_stages(parser.add_argument_group("what to compute (default: --depth)"))
    _add_output(parser.add_argument_group("output"))
    add_method_options(parser.add_argument_group("method"))
    add_source_options(parser.add_argument_group("input"))
    add_many_options(parser.add_argument_group("many sources"))
    return parser


def _add_stages(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--plot_flow", "--plot-flow", action="store_true", help="optical flow, as arrows")
    add("--epipole", action="store_true", help="where the camera is heading")
    add("--moving", action="store_true", help="what moves by itself, as objects")
    add("--depth", action="store_true", help="depth of every pixel with evidence")
    add("--planar_flow", "--planar-flow", action="store_true", help="eight-parameter motion of planar parts")


def _add_output(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("-o", "--output", action="append", default=[], metavar="TARGET",
        help="what to write, once or more, see below (default: a video here, or a window)")  # fmt: skip
    add("-y", "--overwrite", action="store_true", help="replace outputs that exist")
    add("--resume", action="store_true",
        help="continue an interrupted run: what is written stays, and is checked; as long as that was, "
             "the run is computed again, because every pair builds on those before it")  # fmt: skip
    add("--audio", action=argparse.BooleanOptionalAction,
        help="copy the sound of a video file into the annotated video "
             "(default: where there is one and it fits)")  # fmt: skip
    add("--view", type=_views, metavar="VIEW[,VIEW]...",
        help=f"what the pictures show: {', '.join(VIEWS)}, or {ALL_VIEWS} "
             "(default: what is computed)")  # fmt: skip
    add("--clean", action="store_true", help="pictures without captions, legends and markers")
    add("--colours", choices=COLOURS, metavar="NAME",
        help=f"colours of the maps: {', '.join(COLOURS)} (default: {COLOURS[0]})")  # fmt: skip
    add("--grey", action="store_true",
        help="depth as a grey picture: near is white, unknown black; "
             "the same as --view depth --colours grey --clean")  # fmt: skip
    add("--range", type=_range, metavar="NEAR:FAR", help="fixed colour range of the depth, in its unit")
    add("--realtime", action="store_true", help="window, web: show a file in its own time")
    add("--compress", action="store_true", help="npz: files a third smaller, in ten times the time")
    add("--threads", type=count, metavar="N",
        help="threads to compute with; the results are the same (default: one a core)")  # fmt: skip
    add("-q", "--quiet", action="store_true", help="no progress")
    add("--debug", action="store_true", help="show the traceback of an error")


def _listed(registry: Registry) -> str:
    return "".join(f"  {form:26}{text}\n" for form, text in registry.describe())


def _views(text: str) -> tuple[str, ...]:
    names = tuple(VIEWS) if text == ALL_VIEWS else tuple(text.split(","))
    for name in names:
        if name not in VIEWS:
            raise argparse.ArgumentTypeError(f"there is no view {name}; there are {', '.join(VIEWS)}")
    return names


def _calibration(spec: str) -> Calibration:
    from sources.calibration import read_calibration

    return read_calibration(spec)


def _known(text: str) -> tuple[int, int, float]:
    try:
        x, y, metres = text.split(",")
        return int(x), int(y), float(metres)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is not x,y,METRES") from None


def _mask(spec: str) -> PictureMask:
    from sources.mask import read_mask

    return read_mask(spec)


def _range(text: str) -> tuple[float, float]:
    try:
        near, far = (float(word) for word in text.split(":"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is not NEAR:FAR") from None
    if not 0 < near < far:
        raise argparse.ArgumentTypeError(f"{text}: NEAR must be above 0 and below FAR")
    return near, far
