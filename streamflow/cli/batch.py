"""Many sources: each a task of its own, so that none stops the others; a table at the end."""

from __future__ import annotations

import os
import signal
import sys
from argparse import Namespace
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, Future, as_completed
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import FrameType
from uuid import uuid4

from rich.console import Console

from sinks import SINKS, path_of
from sources import open_source
from streamflow.cli.batch_progress import BatchProgress
from streamflow.cli.compilation import compiled
from streamflow.cli.executors import Here, OnCluster, Workers
from streamflow.cli.outcome import STATES, Outcome, interrupted, worst
from streamflow.cli.outputs import stages_of, targets_of
from streamflow.cli.resume import continuing
from streamflow.cli.source_arguments import source_options
from streamflow.cli.task import Task, finished
from streamflow.errors import StreamflowError, UsageError
from streamflow.values import SourceInfo

Targets = Mapping[Task, Sequence[str]]
Outcomes = dict[Task, Outcome]


def batch(arguments: Namespace) -> int:
    """Run every source of a command line; return the worst exit code.

    Raises
    ------
    UsageError
        Two sources would write the same output.
    """
    console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    targets = _refuse_shared(dict(_tasks(arguments)))
    if arguments.shard is not None:
        tasks = [*targets]
        targets = {tasks[i]: targets[tasks[i]] for i in arguments.shard.of(len(tasks))}
    outcomes: Outcomes = {}
    if arguments.skip_finished:
        outcomes = {task: Outcome(skipped=True) for task in targets if _is_finished(task)}
    left = [task for task in targets if task not in outcomes]
    if left:
        outcomes |= _run(left, targets, arguments, console)
    _show({task: outcomes[task] for task in targets}, console)
    return worst(outcomes.values())


def _tasks(arguments: Namespace) -> Iterator[tuple[Task, list[str]]]:
    """Each source as a task, and the outputs that it will write."""
    options = {name: value for name, value in vars(arguments).items() if name != "sources"}
    name = uuid4().hex
    for source in arguments.sources:
        if source == "-":
            raise UsageError("-: standard input is not one of several sources; run it by itself")
        task = Task(source, options, os.getcwd(), name)
        targets = _targets(task)
        fresh = arguments.scheduler is not None and not any(map(_exists, targets))
        yield replace(task, fresh=fresh), targets


def _targets(task: Task) -> list[str]:
    """Outputs of a task; a source that cannot be opened is told of when its turn comes."""
    try:
        return targets_of(_info(task), task.arguments)
    except StreamflowError:
        return []


def _exists(target: str) -> bool:
    path = path_of(target)
    return path is not None and path.exists()


def _info(task: Task) -> SourceInfo:
    """What is known of a source; a file need not be opened for its name."""
    if isinstance(task.source, str) and Path(task.source).is_file():
        return SourceInfo(task.source, Path(task.source).stem)
    with closing(open_source(task.source, **source_options(task.arguments))) as source:
        return source.info


def _refuse_shared(targets: Targets) -> Targets:
    """Raise `UsageError` if two tasks would write the same."""
    owners: dict[str, Task] = {}
    for task, spellings in targets.items():
        for spelling in filter(lambda target: SINKS.find(target).keeps, spellings):
            path = path_of(spelling)
            other = owners.setdefault(spelling if path is None else os.path.abspath(path), task)
            if other is not task:
                raise UsageError(
                    f"{spelling}: {other.name} and {task.name} would both write it; put {{stem}} into each "
                    "-o target, which stands for the source's name, or {parent}, for its folder's"
                )
    return targets


def _is_finished(task: Task) -> bool:
    try:
        return finished(task)
    except StreamflowError:
        return False


def _run(tasks: Sequence[Task], targets: Targets, arguments: Namespace, console: Console) -> Outcomes:
    outcomes: Outcomes = {}
    with (
        closing(_workers(tasks, targets, arguments, console)) as workers,
        _stopping(workers, tasks[0].batch) as signals,
        BatchProgress(len(tasks), console, quiet=arguments.quiet) as progress,
    ):
        futures = {workers.submit(task, partial(progress.hear, task)): task for task in tasks}
        for future in as_completed(futures):
            outcome = _outcome(future)
            if signals and outcome.state == "interrupted":
                outcome = interrupted(signals[0])
            outcomes[futures[future]] = outcome
            progress.end(futures[future], outcome)
    return outcomes


def _workers(tasks: Sequence[Task], targets: Targets, arguments: Namespace, console: Console) -> Workers:
    if arguments.scheduler is not None:
        return OnCluster(arguments.scheduler)
    spellings = {spelling for task in tasks for spelling in targets[task]}
    compiled(stages_of(spellings, arguments), arguments.flow, console)  # once, rather than by each
    return Here(arguments.jobs or 1)


@contextmanager
def _stopping(workers: Workers, batch: str) -> Iterator[list[int]]:
    """Context in which a signal ends the tasks properly, and a second one at once; yields those received."""
    received: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        workers.stop(batch, signal.SIGTERM if len(received) == 1 else signal.SIGKILL)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _outcome(future: Future[Outcome]) -> Outcome:
    try:
        return future.result()
    except CancelledError:
        return interrupted()
    except Exception as error:
        return Outcome(StreamflowError.exit_code, str(error) or type(error).__name__)


def _show(outcomes: Outcomes, console: Console) -> None:
    """Print what the sources printed, and then a line for each, the failed ones last."""
    for outcome in outcomes.values():
        print(outcome.printed, end="")
    for state in STATES:
        for task, outcome in outcomes.items():
            if outcome.state == state:
                console.print(f"{state:12}{task.name}{outcome.reason(task.name)}")
    counts = Counter(outcome.state for outcome in outcomes.values())
    summary = ", ".join(f"{counts[state]} {state}" for state in STATES if counts[state])
    console.print(f"{len(outcomes)} sources: {summary or 'none of them in this part'}")
    if counts["interrupted"]:
        words = [word for word in sys.argv[1:] if word != "-n"]
        console.print(f"to continue: {continuing([*words, '-n'])}")
