"""`stream.py evaluate FOLDER...`: errors against ground truth."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

from rich.console import Console
from rich.table import Table

from sources import open_source
from streamflow.cli.arguments import Parser, add_method_options, options
from streamflow.cli.compilation import compiled
from streamflow.errors import SourceError
from streamflow.evaluation.peers import PEERS, PeerFlow
from streamflow.evaluation.scores import Scores
from streamflow.evaluation.truth import PairTruth, pair_truth
from streamflow.options import Knobs, Options
from streamflow.pipeline import results
from streamflow.stages import Stage, with_what_they_build_on
from streamflow.values import FrameTruth, Result


def evaluate(argv: list[str]) -> int:
    """Print the scores of every folder: a table for people, or one JSON object a folder."""
    parser = Parser("evaluate", description="Errors against ground truth.")
    parser.add_argument(
        "folders", nargs="+", metavar="FOLDER", help="a benchmark folder with ground truth, or demo:SCENE"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a folder, on stdout")
    parser.add_argument("--method", choices=PEERS, help="OpenCV's method in the place of ours, for flow only")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    add_method_options(parser)
    arguments = parser.parse_args(argv)
    records = []
    knobs = Knobs(arguments.threshmin)
    for folder in arguments.folders:
        record = {"folder": folder, **score(folder, options(arguments), knobs, arguments.method)}
        records.append(record)
        if arguments.json:
            print(json.dumps(record), flush=True)
    if not arguments.json:
        _show(records)
    return 0


def score(spec: str, options: Options, knobs: Knobs, peer: str | None = None) -> dict[str, Any]:
    """Run the method, or a peer's flow, over one source and compare every pair with its truth."""
    truth = _first_truth(spec)
    scores, engine, stages = Scores(), None, _stages(truth)
    if peer is not None:
        engine, stages = PeerFlow(peer), frozenset({Stage.FLOW})
    else:
        compiled(stages, options.flow)
    # Benchmarks of flow give it on the earlier frame; depth is judged on the newest, as a stream shows it.
    reference = options.reference if truth.flow is None else "previous"
    once = replace(options, fuse=False, reference=reference)
    for result, true in _judged(spec, stages, once, knobs, engine):
        scores.add(result, true)
    if Stage.DEPTH in stages and options.fuse and options.reference == "newest":
        for result, true in _judged(spec, stages, options, knobs):
            scores.add_fused(result, true)
    return scores.summary()


def _first_truth(spec: str) -> FrameTruth:
    """Truth of the first frame, which tells the kinds of truth there are."""
    with closing(open_source(spec)) as source:
        truth = next((frame.truth for frame in source), None)
    if truth is None:
        raise SourceError(f"{spec}: no images with ground truth in a layout known here")
    return truth


def _stages(truth: FrameTruth) -> frozenset[Stage]:
    """What must run so that everything that is known can be compared."""
    if truth.flow is not None:
        return frozenset({Stage.FLOW})
    # The trajectory's steps are told by depth.
    deep = truth.depth is not None or truth.pose is not None
    return with_what_they_build_on({Stage.MOVING, Stage.DEPTH} if deep else {Stage.MOVING})


def _judged(
    spec: str, stages: frozenset[Stage], options: Options, knobs: Knobs, engine: PeerFlow | None = None
) -> Iterator[tuple[Result, PairTruth]]:
    """Results of every pair whose truth is known."""
    with closing(open_source(spec)) as source:
        for result in results(source, stages, options, knobs=knobs, engine=engine):
            truth = None if result.pair.repeat else pair_truth(result.pair)
            if truth is not None:
                yield result, truth


def _show(records: list[dict[str, Any]]) -> None:
    """One row a score, one column a folder."""
    table = Table(title="errors against ground truth", title_justify="left")
    table.add_column("", no_wrap=True)
    for record in records:
        table.add_column(str(record["folder"]).rstrip("/").rpartition("/")[2], justify="right")
    names = dict.fromkeys(name for record in records for name in record if name != "folder")
    for name in names:
        table.add_row(name, *(_cell(record.get(name)) for record in records))
    Console().print(table)


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {share:.0%}" for name, share in value.items())
    return "" if value is None else f"{value:.4g}"
