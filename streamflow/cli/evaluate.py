"""`stream.py evaluate FOLDER...`: errors against ground truth."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from typing import Any

from rich.console import Console
from rich.table import Table

from sources.benchmark import SequenceSource
from streamflow.cli.arguments import Parser, add_method_options, options
from streamflow.cli.compilation import compiled
from streamflow.evaluation.peers import PEERS, PeerFlow
from streamflow.evaluation.scores import Scores
from streamflow.evaluation.truth import pair_truth
from streamflow.options import Knobs, Options
from streamflow.pipeline import results
from streamflow.stages import Stage, with_what_they_build_on


def evaluate(argv: list[str]) -> int:
    """Print the scores of every folder: a table for people, or one JSON object a folder."""
    parser = Parser(prog="stream.py evaluate", description="Errors against ground truth.")
    parser.add_argument("folders", nargs="+", metavar="FOLDER", help="a benchmark folder with ground truth")
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


def score(folder: str, options: Options, knobs: Knobs, peer: str | None = None) -> dict[str, Any]:
    """Run the method, or a peer's flow, over one folder and compare every pair with its truth."""
    scores = Scores()
    source = SequenceSource(folder)
    has_flow, has_depth = source.first_truth.flow is not None, source.first_truth.depth is not None
    stages = with_what_they_build_on({Stage.FLOW if has_flow else Stage.DEPTH if has_depth else Stage.MOTION})
    engine = None
    if peer is not None:
        engine, stages, has_depth = PeerFlow(peer), frozenset({Stage.FLOW}), False
    else:
        compiled(stages, options.flow)
    # Benchmarks of flow give it on the earlier frame; depth is judged on the newest, as a stream shows it.
    once = replace(options, fuse=False, reference="previous" if has_flow else options.reference)
    with closing(source):
        for result in results(source, stages, once, knobs=knobs, engine=engine):
            truth = None if result.pair.repeat else pair_truth(result.pair)
            if truth is not None:
                scores.add(result, truth)
    if has_depth and options.fuse and options.reference == "newest":
        with closing(SequenceSource(folder)) as source:
            for result in results(source, stages, options, knobs=knobs):
                truth = None if result.pair.repeat else pair_truth(result.pair)
                if truth is not None and result.depth is not None:
                    scores.add_fused(result.depth, truth)
    return scores.summary()


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
