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
from streamflow.cli.typed import short_name
from streamflow.errors import StreamflowError

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

COMMANDS = {
    "evaluate": "streamflow.cli.evaluate:evaluate",
    "doctor": "streamflow.cli.doctor:doctor",
    "warm": "streamflow.cli.warm:warm",
}
INTERRUPTED = 128  # and above: ended by a signal
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
        codes = [0]
        for spec in arguments.sources:
            codes.append(stream(spec, arguments))
            if codes[-1] >= INTERRUPTED:
                break
        return max(codes)
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


def stream(spec: str | Sequence[str], arguments: Namespace) -> int:
    """Process one source from its first to its last pair; return the exit code."""
    from rich.console import Console

    from sources import open_source
    from streamflow.cli.compilation import compiled
    from streamflow.cli.outputs import Outputs
    from streamflow.cli.progress import RunProgress
    from streamflow.cli.report import Report
    from streamflow.cli.signals import Interruptible
    from streamflow.cli.source_arguments import source_options
    from streamflow.cli.threads import allowed_threads
    from streamflow.options import Knobs
    from streamflow.pipeline import results

    console = Console(stderr=True)
    with ExitStack() as stack:
        knobs = Knobs(arguments.threshmin)
        signals = stack.enter_context(Interruptible(knobs))
        source = signals.opened(lambda: open_source(spec, **source_options(arguments)))
        stack.enter_context(closing(source))
        outputs = stack.enter_context(Outputs(source, arguments, knobs))
        options = command_line.options(arguments)
        report = Report(source, outputs, arguments)
        report.begin(console)
        signals.unless_ended(lambda: compiled(outputs.stages, options.flow, console))
        threads = allowed_threads(arguments.threads)
        frames = signals.frames(source)
        with RunProgress(source.info, source.health, console, quiet=arguments.quiet) as progress:
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
    return report.exit_code(signals)


if __name__ == "__main__":
    sys.exit(main())
