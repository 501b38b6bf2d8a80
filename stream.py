"""Point a camera at a moving world: flow, heading, depth and planes of any video, as it streams.

This file composes a source, the stages and the sinks, shows progress and sets the exit code.
`python stream.py --help` lists what there is.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack, closing
from pkgutil import resolve_name
from typing import TYPE_CHECKING

from streamflow.cli import arguments as command_line
from streamflow.cli.many_arguments import is_batch
from streamflow.cli.typed import short_name
from streamflow.errors import StreamflowError

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from streamflow.cli.outcome import Outcome

COMMANDS = {
    "evaluate": "streamflow.cli.evaluate:evaluate",
    "doctor": "streamflow.cli.doctor:doctor",
    "warm": "streamflow.cli.warm:warm",
    "task": "streamflow.cli.task:work",
}
MISSING_LIBRARY = (
    "OpenCV needs system libraries; on Debian: apt-get install libgl1 libglib2.0-0 (window: libsm6 libxext6)"
)


def main(argv: list[str] | None = None) -> int:
    """Run the program and return its exit code."""
    argv = sys.argv[1:] if argv is None else argv
    try:
        if argv and argv[0] in COMMANDS:
            return int(resolve_name(COMMANDS[argv[0]])(argv[1:]))
        arguments = command_line.parse(argv)
        if is_batch(arguments):
            return int(resolve_name("streamflow.cli.batch:batch")(arguments))
        return stream(arguments.sources[0], arguments).code
    except StreamflowError as error:
        if "--debug" in argv:
            raise
        print(f"{short_name()}: {command_line.with_flags(str(error))}", file=sys.stderr)
        return error.exit_code
    except ImportError as error:
        if ".so" not in str(error):
            raise
        print(f"{short_name()}: {error}: {MISSING_LIBRARY}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def stream(spec: str | Sequence[str], arguments: Namespace) -> Outcome:
    """Process one source from its first to its last pair."""
    from rich.console import Console

    from sources import open_source
    from streamflow.cli.compilation import compiled
    from streamflow.cli.outputs import Outputs
    from streamflow.cli.progress import progress_of
    from streamflow.cli.report import Report
    from streamflow.cli.signals import Interruptible
    from streamflow.cli.source_arguments import source_options
    from streamflow.cli.threads import allowed_threads
    from streamflow.options import Knobs
    from streamflow.pipeline import results

    console = Console(stderr=True)
    with ExitStack() as stack:
        knobs = Knobs(arguments.threshmin)
        signals = stack.enter_context(Interruptible(knobs, more_end_at_once=arguments.batch is None))
        source = signals.opened(lambda: open_source(spec, **source_options(arguments)))
        stack.enter_context(closing(source))
        outputs = stack.enter_context(Outputs(source, arguments, knobs))
        options = command_line.options(arguments)
        report = Report(source, outputs, arguments)
        report.begin(console)
        signals.unless_ended(lambda: compiled(outputs.stages, options.flow, console))
        threads = allowed_threads(arguments.threads)
        frames = signals.frames(source)
        with progress_of(source, console, arguments) as progress:
            found = results(
                frames, outputs.stages, options, knobs=knobs, source=source.info, health=source.health,
                threads=threads,
            )  # fmt: skip
            stack.enter_context(closing(found))
            for result in found:
                outputs.write(result)
                report.add(result)
                progress.advance(result)
                if outputs.stopped:
                    break
    report.show(console, signals)
    return report.outcome(signals)


if __name__ == "__main__":
    sys.exit(main())
