"""The stages of the method, and what each builds on."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Stage(StrEnum):
    """The stages of the method, in order."""

    FLOW = "flow"
    MOTION = "motion"
    DEPTH = "depth"
    PLANES = "planes"


BUILDS_ON: dict[Stage, frozenset[Stage]] = {
    Stage.FLOW: frozenset(),
    Stage.MOTION: frozenset({Stage.FLOW}),
    Stage.DEPTH: frozenset({Stage.FLOW, Stage.MOTION}),
    Stage.PLANES: frozenset({Stage.FLOW, Stage.MOTION, Stage.DEPTH}),
}


def with_what_they_build_on(stages: Iterable[Stage]) -> frozenset[Stage]:
    """Return the stages and every stage that must run before them."""
    wanted = frozenset(stages)
    return wanted.union(*(BUILDS_ON[stage] for stage in wanted))
