"""Compiles what a run needs before its first pair, once a machine, with a bar that tells how far it is."""

from __future__ import annotations

import time
from collections.abc import Iterable

from rich.console import Console

from streamflow.cli.claims import Claims
from streamflow.compiling import Compilation
from streamflow.kernels import jit
from streamflow.options import FlowMethod
from streamflow.stages import Stage

LOOK = 0.1  # seconds between two looks at what is done
PATIENCE = 3600.0  # seconds to wait for another process that compiles


def compiled(stages: Iterable[Stage], method: FlowMethod, console: Console | None = None) -> None:
    """Return once there is machine code for these stages."""
    compilation = Compilation(stages, method)
    if not compilation.needed:
        return
    alone = Claims([jit.CACHE], PATIENCE)  # tasks that begin at once on a machine would all compile the same
    try:
        if compilation.needed:
            _compile(compilation, console or Console(stderr=True))
    finally:
        alone.release()


def _compile(compilation: Compilation, console: Console) -> None:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    if not console.is_terminal:
        console.print("compiling for this machine, once ...", highlight=False)
    columns = (
        TextColumn("compiling for this machine, once"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with (
        Progress(*columns, console=console, disable=not console.is_terminal) as bar,
        compilation.started() as work,
    ):
        task = bar.add_task("", total=None)
        while work.going_on:
            bar.update(task, completed=work.done, total=work.total)
            time.sleep(LOOK)
