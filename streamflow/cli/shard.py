"""One machine's part of the sources: every Nth of them."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

NUMBERS = ("SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX")  # of Slurm's arrays, of Kubernetes' indexed jobs


@dataclass(frozen=True)
class Shard:
    """Part `number` of `count`; counted from 0 or from 1, for 0/4 and 4/4 are the same part."""

    number: int
    count: int

    def of(self, length: int) -> range:
        """Return the positions of this part among `length`."""
        return range(self.number % self.count, length, self.count)


def shard(text: str, environment: Mapping[str, str] = os.environ) -> Shard:
    """Read "I/N"; "auto" and "auto/N" take I, and N where it is known, from the job that this runs in."""
    if (found := re.fullmatch(r"(\d+)/(\d+)", text)) is not None:
        return _checked(text, int(found[1]), int(found[2]))
    if (found := re.fullmatch(r"auto(?:/(\d+))?", text)) is None:
        raise argparse.ArgumentTypeError(f"{text} is neither I/N nor auto")
    number = next((environment[name] for name in NUMBERS if name in environment), None)
    if number is None:
        raise argparse.ArgumentTypeError(f"{text}: neither {' nor '.join(NUMBERS)} is set; write I/N")
    count = found[1] or environment.get("SLURM_ARRAY_TASK_COUNT")
    if count is None:
        raise argparse.ArgumentTypeError(f"{text}: nothing tells how many parts there are; write auto/N")
    first = int(environment.get("SLURM_ARRAY_TASK_MIN", 0))
    step = int(environment.get("SLURM_ARRAY_TASK_STEP", 1))
    return _checked(text, (int(number) - first) // step, int(count))


def _checked(text: str, number: int, count: int) -> Shard:
    if not 0 <= number <= count or count < 1:
        raise argparse.ArgumentTypeError(f"{text}: there is no part {number} of {count}")
    return Shard(number, count)
