"""Accuracy of the flow against OpenCV's methods, over a folder of benchmark folders.

    python benchmarks/accuracy.py FOLDER [--json]

Ratios are to DIS MEDIUM, geometric means over the folders.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parent.parent))

from sources import SOURCES
from streamflow.cli.evaluate import score
from streamflow.evaluation.peers import PEERS
from streamflow.flow.presets import PRESETS
from streamflow.options import Knobs, Options

SCORES = ("epe_mean", "epe_median", "aae_deg", "fl_percent", "top50_epe", "ausr", "ausr_smin")
BASE = "dis-medium"


def main() -> None:
    """Print a table, or one JSON object: method -> folder -> scores."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    folders = [path for path in sorted(arguments.folder.rglob("*")) if _has_flow(path)]
    record = {name: {path.name: _flow_scores(path, name) for path in folders} for name in (*PRESETS, *PEERS)}
    if arguments.json:
        print(json.dumps(record, indent=2))
    else:
        show(record)


def show(record: dict[str, dict[str, dict[str, float]]]) -> None:
    """One row a method, one column a folder: mean error, and the ratio to DIS MEDIUM over all."""
    table = Table("mean endpoint error, px", *next(iter(record.values())), "over DIS MEDIUM", "Fl over it")
    for name, folders in record.items():
        cells = [f"{scores['epe_mean']:.3f}" for scores in folders.values()]
        ratios = [_ratio(record, name, score) for score in ("epe_mean", "fl_percent")]
        table.add_row(name, *cells, *(f"{ratio:.2f}" for ratio in ratios))
    Console(width=160).print(table)


def _ratio(record: dict[str, dict[str, dict[str, float]]], name: str, score: str) -> float:
    pairs = [(record[name][f][score], record[BASE][f][score]) for f in record[name]]
    return float(
        np.exp(np.mean([np.log(ours / theirs) for ours, theirs in pairs if ours > 0 and theirs > 0]))
    )


def _flow_scores(folder: Path, method: str) -> dict[str, Any]:
    preset: Any = method if method in PRESETS else "balanced"
    peer = method if method in PEERS else None
    scores = score(str(folder), Options(flow=preset, fuse=False), Knobs(), peer)
    return {name: scores[name] for name in SCORES if name in scores}


def _has_flow(folder: Path) -> bool:
    is_posed_with_depth = (folder / "poses_c2w.txt").is_file() and (folder / "depth").is_dir()
    has_own = folder.is_dir() and SOURCES.entries["sequence"].matches(str(folder))
    return has_own and (is_posed_with_depth or not (folder / "poses_c2w.txt").is_file())


if __name__ == "__main__":
    main()
