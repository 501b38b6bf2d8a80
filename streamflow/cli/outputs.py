"""The outputs of a run: opened together, written in order, closed whatever happens.

Files are written in a thread while the next pair is computed. A window must be drawn in the main thread;
it shares the painter with the other outputs, so beside a window everything happens there.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from sinks import SINKS, Announced, Holding, Run, Sink, open_sink, path_of
from sources import Source
from streamflow.cli.claims import Claims, is_finished
from streamflow.cli.many_arguments import MANY
from streamflow.cli.resume import state_of_files
from streamflow.cli.write_behind import WriteBehind
from streamflow.draw.painter import Painter
from streamflow.draw.panel import Style
from streamflow.draw.views import COLOURS, VIEWS
from streamflow.errors import SinkError, StopStreaming, UsageError
from streamflow.options import Knobs
from streamflow.stages import Stage, with_what_they_build_on
from streamflow.values import Result, SourceInfo

PATIENCE = 20.0  # seconds that a task waits for a process whose worker has died to end, too


class Outputs:
    """The sinks of a run, as a context: leaving it closes every one of them."""

    def __init__(self, source: Source, arguments: Namespace, knobs: Knobs) -> None:
        self.targets = targets_of(source.info, arguments)
        self.stopped = False
        self.faults: dict[str, SinkError] = {}  # targets that could not go on, and why
        self.notes: list[str] = []  # one line each, for the user
        self._arguments, self._knobs = arguments, knobs
        self._painter = Painter(knobs, style(arguments))
        self._run = Run(
            source.info,
            self._painter,
            knobs,
            overwrite=arguments.overwrite,
            settings=_settings(arguments),
            source_state=state_of_files(source.info),
            audio=self._sound(source, arguments.audio),
            compress=arguments.compress,
            realtime=arguments.realtime,
            resume=arguments.resume,
        )
        if arguments.resume and source.info.live:
            raise UsageError(f"{source.info.name}: what a camera saw is gone; --resume needs a file")
        self._sinks: dict[str, Sink] = {}  # that still go on, by their targets
        self._claims: Claims | None = None
        self._behind: WriteBehind[Result] | None = None

    def __enter__(self) -> Outputs:
        try:
            self._claims = Claims(self._paths, PATIENCE if self._arguments.batch else 0)
            for target in self.targets:
                self._sinks[target] = open_sink(target, self._run)
            self._claims.begin()
        except BaseException as error:
            self._close_after(error)
            raise
        if "window" not in self.targets:
            self._behind = WriteBehind(self._write_now)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._finish()
        except BaseException as problem:
            error = problem
            raise
        finally:
            if error is not None:
                self._close_after(error)
            elif self._claims is not None:
                self._claims.release()

    def _finish(self) -> None:
        """Write what waits, and close every sink, whichever fails; raise the first error."""
        if self._behind is not None:
            self._behind.finish()
        first: Exception | None = None
        for sink in self._sinks.values():
            try:
                sink.close()
            except Exception as problem:
                first = first or problem
        if first is not None:
            raise first
        if self._claims is not None and not (self.faults or self.stopped or self._knobs.stopping):
            self._claims.finish(self._run.provenance)

    @property
    def stages(self) -> frozenset[Stage]:
        """Every stage that was asked for, or that a sink or a picture needs, with what these build on."""
        return stages_of(self.targets, self._arguments)

    @property
    def finished(self) -> bool:
        """Whether an earlier run with the same provenance wrote every output to its end."""
        return bool(self._paths) and all(is_finished(path, self._run.provenance) for path in self._paths)

    @property
    def _paths(self) -> set[Path]:
        return {path for target in self.targets if (path := path_of(target)) is not None}

    @property
    def resumable(self) -> bool:
        """Whether this run, interrupted, can be continued by itself: from a file, to files."""
        alone = self._arguments.batch is None
        return alone and bool(self.kept) and "jsonl:-" not in self.kept and not self._run.source.live

    @property
    def kept(self) -> list[str]:
        """The targets that are there when the run has ended."""
        return [target for target in self.targets if SINKS.find(target).keeps]

    @property
    def announcements(self) -> list[str]:
        """What the sinks have to say before the first result, one line each."""
        return [sink.announcement for sink in self._sinks.values() if isinstance(sink, Announced)]

    def write(self, result: Result) -> None:
        """Hand a result to every sink, now or soon; one whose user wants to stop sets `stopped`."""
        if self._behind is not None:
            self._behind.put(result)
        else:
            self._write_now(result)

    def _write_now(self, result: Result) -> None:
        for target, sink in list(self._sinks.items()):
            try:
                if result.pair.repeat is None:
                    sink.write(result)
                elif isinstance(sink, Holding):
                    sink.hold(result.pair.repeat)
            except StopStreaming:
                self.stopped = True
            except SinkError as error:
                self._go_on_without(target, error)

    def _go_on_without(self, target: str, error: SinkError) -> None:
        """Let the other outputs go on; raise if there is none."""
        self.faults[target] = error
        sink = self._sinks.pop(target)
        if not self._sinks:
            raise SinkError("; ".join(map(str, self.faults.values())))
        with suppress(SinkError, OSError):
            sink.close()

    def _sound(self, source: Source, asked: bool | None) -> str | None:
        """The file whose sound goes into the annotated videos: where nobody asked, if it fits into each."""
        if asked:
            return self._file_with_sound(source)
        videos = [target for target in self.targets if SINKS.find(target) is SINKS.entries["video"]]
        if asked is False or not videos or not Path(source.info.name).is_file():
            return None
        from sinks.video import ENCODINGS
        from sinks.writing.sound import codec_of_sound, holds_sound

        codec = codec_of_sound(source.info.name)
        if codec is None:
            return None
        for target in videos:
            if not holds_sound(ENCODINGS[Path(target).suffix.lower()].container, codec):
                self.notes.append(f"{target}: without sound, as {codec} does not fit; .mkv holds it")
                return None
        return source.info.name

    def _file_with_sound(self, source: Source) -> str:
        if not Path(source.info.name).is_file():
            raise UsageError(f"{source.info.name}: only video files have sound to copy; leave out --audio")
        if not any(SINKS.find(target) is SINKS.entries["video"] for target in self.targets):
            raise UsageError("--audio goes into an annotated video: add -o FILE.mp4, or leave out --audio")
        return source.info.name

    def _close_after(self, error: BaseException) -> None:
        """Write what waits, unless there is no time, and close what can be closed; `error` is reported."""
        self._run.knobs.stopping = True  # a paused viewer would wait for ever
        if self._behind is not None:
            if not isinstance(error, KeyboardInterrupt):
                with suppress(Exception):
                    self._behind.finish()
            if not self._behind.abandon():
                return  # a sink is still at work: it must not be closed under its hands
        for sink in self._sinks.values():
            with suppress(SinkError, OSError):
                sink.close()
        if self._claims is not None:
            self._claims.release()


SWITCHES = {
    "plot_flow": (Stage.FLOW, "flow"),
    "epipole": (Stage.MOTION, "epipole"),
    "moving": (Stage.MOVING, "moving"),
    "depth": (Stage.DEPTH, "depth"),
    "planar_flow": (Stage.PLANES, "planes"),
}


def asked(arguments: Namespace) -> set[Stage]:
    """Return the stages that were switched on; what a picture shows is another question."""
    stages = {stage for switch, (stage, _) in SWITCHES.items() if getattr(arguments, switch)}
    return stages | {Stage.MOVING, Stage.DEPTH} if arguments.warn_below is not None else stages


def style(arguments: Namespace) -> Style:
    """Return how the pictures look: the views asked for, or those of the stages that were switched on."""
    switched = tuple(view for switch, (_, view) in SWITCHES.items() if getattr(arguments, switch))
    views = switched if switched not in ((), ("depth",)) else ("image", "depth")
    return Style(
        ("depth",) if arguments.grey else arguments.view or views,
        limits=arguments.range,
        colours="grey" if arguments.grey else arguments.colours or COLOURS[0],
        clean=arguments.clean or arguments.grey,
    )


def targets_of(info: SourceInfo, arguments: Namespace) -> list[str]:
    """Return what is written of a source: what was asked for, or a window or a video."""
    default = "window" if info.live else "{stem}_streamflow.mp4"
    folder = Path(info.name).resolve().parent.name
    return [
        target.replace("{stem}", info.stem).replace("{parent}", folder)
        for target in arguments.output or [default]
    ]


def stages_of(targets: Iterable[str], arguments: Namespace) -> frozenset[Stage]:
    """Return what has to be computed for these outputs, the pictures in them and the switches."""
    shown = {stage for name in style(arguments).views if (stage := VIEWS[name].stage) is not None}
    needed = (SINKS.find(target).load().needs for target in targets)
    return with_what_they_build_on(shown.union(asked(arguments), *needed))


def _settings(arguments: Namespace) -> dict[str, object]:
    """What decides the content of an output, for its sidecar."""
    left_out = {"sources", "output", "overwrite", "resume", "realtime", "quiet", "debug", "threads", *MANY}
    settings = {name: value for name, value in sorted(vars(arguments).items()) if name not in left_out}
    for name in ("camera", "mask"):
        if settings[name] is not None:
            settings[name] = getattr(arguments, name).as_plain()  # its file may change
    return settings
