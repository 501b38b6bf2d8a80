"""What a run says when it ends: what was written, what was wrong with the input, and the errors if known."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterator

import numpy as np
from rich.console import Console
from rich.table import Table

from sources import Source
from streamflow.cli.findings import Findings
from streamflow.cli.outcome import INCOMPLETE, Outcome, interrupted
from streamflow.cli.outputs import Outputs
from streamflow.cli.resume import continuing
from streamflow.cli.signals import Interruptible
from streamflow.errors import SinkError, SourceError
from streamflow.evaluation.metrics import depth_errors, endpoint_error
from streamflow.evaluation.truth import PairTruth, pair_truth
from streamflow.geometry.camera import field_of_view, field_of_view_sigma
from streamflow.geometry.epipole import pixel
from streamflow.values import CameraSource, Result


class Report:
    """Collects while the stream runs; the errors against the truth only where frames carry it."""

    def __init__(self, source: Source, outputs: Outputs, arguments: Namespace) -> None:
        self._source, self._outputs = source, outputs
        self._findings = Findings(arguments)
        self._pairs = self._damaged = self._repeats = 0
        self._rectified = False
        self._last: Result | None = None
        self._errors: dict[str, list[float]] = {"flow, px": [], "epipole, px": [], "depth, %": []}

    def add(self, result: Result) -> None:
        """Take one result in."""
        self._rectified |= result.pair.reference.rectified
        self._last = result
        if result.pair.repeat is not None:
            self._repeats += 1
            return
        self._pairs += 1
        self._findings.add(result)
        self._damaged += result.pair.damaged
        truth = pair_truth(result.pair)
        if truth is not None:
            self._compare(result, truth)

    def begin(self, console: Console) -> None:
        """Print the opening lines."""
        for line in self._outputs.announcements:
            _say(console, line)

    def show(self, console: Console, signals: Interruptible) -> None:
        """Print the closing lines, and on stdout the errors against the truth."""
        for line in self._of_outputs():
            _say(console, line)
        if self._nothing_followed and signals.received is None:
            _say(console, f"{self._source.info.name}: nothing to write: no two frames follow one another")
        for line in (*self._findings.lines(), *self._of_input()):
            _say(console, f"{self._source.info.name}: {line}")
        if signals.received is not None:
            _say(console, "interrupted; what is written is complete up to here")
            if self._outputs.resumable:
                _say(console, f"to continue: {continuing(sys.argv[1:])}")
        if any(self._errors.values()):
            Console(stderr="jsonl:-" in self._outputs.targets).print(self._table())

    def _of_outputs(self) -> Iterator[str]:
        for target in self._outputs.targets:
            if target in self._outputs.faults:
                yield f"stopped early: {self._outputs.faults[target]}"
            elif self._pairs:
                did = "wrote" if target in self._outputs.kept else "showed"
                yield f"{did} {target} ({self._pairs} pairs)"
        lens = None if self._last is None else _lens(self._last)
        if lens is not None:
            yield lens
        if self._rectified:
            yield "the lens distortion was undone: pictures and maps lie on the rectified frames"
        yield from self._outputs.notes

    def _of_input(self) -> Iterator[str]:
        health = self._source.health
        yield from health.notes
        if not health.whole:
            yield (
                f"damaged input, {health.damaged} frames or packets damaged, {health.missing} missing; "
                "every frame that could be decoded was used"
            )
        if self._damaged:
            yield (
                f"{self._damaged} pairs lie on damaged frames, or on frames that were predicted from such; "
                "the outputs mark them"
            )
        if health.cuts:
            yield f"{health.cuts} cuts; each begins a segment of its own"
        if health.repeats:
            yield (
                f"{health.repeats} frames show the picture before them again; "
                "time runs on to the next new one"
            )
        if health.dropped:
            yield f"{health.dropped} frames overtaken by newer ones"

    def outcome(self, signals: Interruptible) -> Outcome:
        """Return what the program ends with, and why."""
        health = self._source.health
        if signals.received is not None:
            return interrupted(signals.received)
        if self._outputs.faults:
            return Outcome(SinkError.exit_code, "; ".join(map(str, self._outputs.faults.values())))
        if self._nothing_followed:
            return Outcome(SourceError.exit_code, "no two frames follow one another")
        if not health.whole:
            why = f"{health.damaged} frames or packets damaged, {health.missing} missing"
            return Outcome(INCOMPLETE, why)
        return Outcome()

    @property
    def _nothing_followed(self) -> bool:
        return not (self._pairs or self._repeats)

    def _compare(self, result: Result, truth: PairTruth) -> None:
        if result.flow is not None and truth.vectors is not None and truth.visible is not None:
            error = endpoint_error(result.flow.vectors, truth.vectors)[truth.visible]
            if np.isfinite(error).any():
                self._errors["flow, px"].append(float(np.nanmedian(error)))
        if result.motion is not None and result.motion.translation is not None and truth.epipole is not None:
            found, true = (
                pixel(e, result.camera_matrix) for e in (result.motion.translation.epipole, truth.epipole)
            )
            if found is not None and true is not None:
                self._errors["epipole, px"].append(float(np.linalg.norm(found - true)))
        if result.depth is not None and truth.inverse_depth is not None and truth.visible is not None:
            errors, _ = depth_errors(result.depth.inverse, truth.inverse_depth, truth.visible & truth.judged)
            if errors.size:
                self._errors["depth, %"].append(100 * float(np.median(errors)))

    def _table(self) -> Table:
        table = Table(title="errors against the truth, medians", title_justify="left")
        for column in ("", "median pair", "worst pair", "pairs"):
            table.add_column(column, justify="right" if column else "left")
        for name, values in self._errors.items():
            if values:
                table.add_row(name, f"{np.median(values):.3g}", f"{max(values):.3g}", str(len(values)))
        return table


def _lens(result: Result) -> str | None:
    """How the focal length is known, where nobody gave it and something rests on it."""
    if result.motion is None:
        return None
    fov = field_of_view(result.camera_matrix, result.pair.reference.size)
    if result.camera_source is CameraSource.ESTIMATED:
        sigma = field_of_view_sigma(fov, result.focal_sigma)
        return f"field of view {fov:.0f} +- {sigma:.0f} degrees, estimated from the camera's turns"
    if result.camera_source is not CameraSource.ASSUMED:
        return None
    metric = result.depth is not None and result.depth.unit == "m"
    caveat = "; the metres are as uncertain as that" if metric else ""
    return f"field of view {fov:.0f} degrees, assumed{caveat}: give --fov or --camera if you know it"


def _say(console: Console, line: str) -> None:
    console.print(line, highlight=False, markup=False, soft_wrap=True)
