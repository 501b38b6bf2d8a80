"""The part of the command line that is about many sources: how they are shared out, and what is left out."""

from __future__ import annotations

import argparse

from streamflow.cli.shard import shard

MANY = ("skip_finished", "jobs", "scheduler", "shard", "batch")  # decide nothing of what is written


def add_many_options(parser: argparse._ArgumentGroup) -> None:
    """Add the options of a batch."""
    add = parser.add_argument
    add("-n", "--skip-finished", action="store_true",
        help="skip sources whose outputs are finished, by a run with the same settings")  # fmt: skip
    add("--jobs", type=count, metavar="N", help="look at N sources at once (default: 1)")
    add("--scheduler", metavar="ADDRESS", help="share them out on a Dask cluster, such as tcp://HOST:8786")
    add("--shard", type=shard, metavar="I/N|auto",
        help="only part I of N; auto: of a Slurm array, or of a Kubernetes indexed job (auto/N)")  # fmt: skip
    parser.set_defaults(batch=None)


def is_batch(arguments: argparse.Namespace) -> bool:
    """Whether the sources are tasks to be shared out, rather than one that runs here."""
    options = arguments.jobs, arguments.scheduler, arguments.shard, arguments.skip_finished or None
    return len(arguments.sources) > 1 or any(option is not None for option in options)


def count(text: str) -> int:
    """A number of things, at least one."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number, 1 or more")
    return int(text)
