"""The stages of the method, and what each builds on."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from streamflow.errors import UsageError


class Stage(StrEnum):
    """The stages of the method, in order."""

    FLOW = "flow"
    MOTION = "motion"
    MOVING = "moving"
    DEPTH = "depth"
    PLANES = "planes"


BUILDS_ON: dict[Stage, frozenset[Stage]] = {
    Stage.FLOW: frozenset(),
    Stage.MOTION: frozenset({Stage.FLOW}),
    Stage.MOVING: frozenset({Stage.FLOW, Stage.MOTION}),
    Stage.DEPTH: frozenset({Stage.FLOW, Stage.MOTION}),
    Stage.PLANES: frozenset({Stage.FLOW, Stage.MOTION, Stage.DEPTH}),
}


def with_what_they_build_on(stages: Iterable[str]) -> frozenset[Stage]:
    """Return the stages and every stage that must run before them."""
    wanted = frozenset(_stage(name) for name in ([stages] if isinstance(stages, str) else stages))
    return wanted.union(*(BUILDS_ON[stage] for stage in wanted))


def _stage(name: str) -> Stage:
    if name not in BUILDS_ON:
        raise UsageError(f"no stage {name!r}; there are {', '.join(BUILDS_ON)}")
    return Stage(name)
