"""What a run found of what it was to find, and why there was no more."""

from __future__ import annotations

from argparse import Namespace
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from streamflow.cli.outputs import asked, style
from streamflow.draw.views import VIEWS
from streamflow.stages import Stage
from streamflow.values import Result, Status

KNOWN = 0.01  # share of the picture below which a map is none
STEP = 4  # pixels between those that are looked at
WHY = {
    Status.STATIC: "the camera stood still",
    Status.ROTATION: "the camera only turned; depth needs it to travel",
    Status.PLANAR: "one plane, or too little parallax to tell how the camera moved",
    Status.AMBIGUOUS: "two motions of the camera explain the pictures equally well",
    Status.LOW_CONFIDENCE: "too little texture, or too much noise, to tell how the camera moved",
    Status.MOVING: "too little parallax where the picture has texture",
}


@dataclass(frozen=True)
class Aim:
    """What may be looked for, and the share of the pairs in which it is missed if it is not there."""

    name: str
    is_in: Callable[[Result], bool]
    least: float = 0.0


def has_depth(result: Result) -> bool:
    """Whether there is a depth map worth the name."""
    return result.depth is not None and np.isfinite(result.depth.inverse[::STEP, ::STEP]).mean() > KNOWN


def has_heading(result: Result) -> bool:
    """Whether it is known which way the camera moved."""
    return result.motion is not None and result.motion.translation is not None


def has_flow(result: Result) -> bool:
    """Whether there is texture for more than a few arrows."""
    flow = result.flow
    return flow is not None and (flow.smin[::STEP, ::STEP] >= flow.threshmin).mean() > KNOWN


AIMS = {
    Stage.FLOW: Aim("arrows", has_flow, 0.5),
    Stage.MOTION: Aim("heading", has_heading, 0.5),
    Stage.MOVING: Aim("something that moves by itself", lambda result: bool(result.objects)),
    Stage.DEPTH: Aim("depth", has_depth, 0.5),
    Stage.PLANES: Aim("planes", lambda result: bool(result.planes)),
}


class Findings:
    """Counts while the stream runs."""

    def __init__(self, arguments: Namespace) -> None:
        wanted = asked(arguments) | {VIEWS[view].stage for view in style(arguments).views}
        self._missed: dict[Stage, Counter[str]] = {stage: Counter() for stage in AIMS if stage in wanted}
        self._pairs = self._held = 0
        self._excluded = 0.0  # share of the picture, added up over the pairs

    def add(self, result: Result) -> None:
        """Take in the result of one pair."""
        self._pairs += 1
        for stage, reasons in self._missed.items():
            if not AIMS[stage].is_in(result):
                reasons[self._why(stage, result)] += 1
        self._held += result.depth is not None and result.depth.held
        if result.flow is not None and result.flow.excluded is not None:
            self._excluded += float(result.flow.excluded[::STEP, ::STEP].mean())

    def lines(self) -> Iterator[str]:
        """What a user should know, one line each."""
        for stage, reasons in self._missed.items():
            found = self._pairs - reasons.total()
            if reasons and (not found or found < AIMS[stage].least * self._pairs):
                ((why, _),) = reasons.most_common(1)
                yield f"{AIMS[stage].name} in {found} of {self._pairs} pairs{why and ': '}{why}"
        if self._held:
            yield f"depth of {self._held} pairs is that of the pairs before them, carried over"
        if self._pairs and (share := self._excluded / self._pairs) > KNOWN:
            yield f"{share:.0%} of the picture is fixed to the camera or masked, and was left out"

    def _why(self, stage: Stage, result: Result) -> str:
        """Why something is not there, where that is known."""
        if stage is Stage.FLOW and result.flow is not None:
            return f"smin is below --threshmin {result.flow.threshmin:g} nearly everywhere"
        if stage not in (Stage.MOTION, Stage.DEPTH) or result.motion is None:
            return ""
        still = result.motion.status is Status.STATIC and Stage.FLOW not in self._missed
        return WHY[result.motion.status] + ("; --plot_flow shows what moves" if still else "")
