"""Accuracy of the flow against OpenCV's methods, group by group.

    python benchmarks/accuracy.py GROUP... [--json]

A group is a folder, or a glob of folders, in which everything with known flow is looked up: Middlebury,
Sintel (in Middlebury's layout), KITTI, Flying Chairs, posed folders with depth. Ratios are to DIS MEDIUM:
geometric means over the group, and the worst. AUSR tells how well sigma ranks the errors, 0 as an oracle and
1 at random, and calibration in what share of its deciles it predicts the median error within a factor two.
"""

from __future__ import annotations

import argparse
import glob
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

SCORES = (
    "epe_mean", "epe_median", "aae_deg", "fl_percent", "top50_epe", "ausr", "ausr_smin", "sigma_calibration",
)  # fmt: skip
BASE = "dis-medium"
METHODS = (*PRESETS, *PEERS)
SMALLEST_FL = 1.0  # percent: of less, a ratio says nothing
Record = dict[str, dict[str, dict[str, dict[str, float]]]]  # group -> method -> folder -> scores


def main() -> None:
    """Print a table, or one JSON object: group -> method -> folder -> scores."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("groups", nargs="+", metavar="GROUP", help="a folder, or a glob of folders")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    record = {group: _scores_of_group(_folders(group)) for group in arguments.groups}
    if arguments.json:
        print(json.dumps(record, indent=2))
    else:
        show(record)


def show(record: Record) -> None:
    """One row a group and method."""
    table = Table(
        "group", "method", "EPE, px", "over DIS MEDIUM", "worst", "Fl over it", "AUSR", "calibration"
    )
    for group, methods in record.items():
        for method in METHODS:
            epe, fl = _ratios(methods, method, "epe_mean"), _ratios(methods, method, "fl_percent")
            table.add_row(
                Path(group).name, method, f"{_mean(methods[method], 'epe_mean'):.3f}",
                f"{_geometric(epe):.3f}", f"{max(epe, default=np.nan):.2f}", f"{_geometric(fl):.2f}",
                f"{_mean(methods[method], 'ausr'):.2f}", f"{_mean(methods[method], 'sigma_calibration'):.0%}",
            )  # fmt: skip
        table.add_section()
    Console(width=120).print(table)


def _ratios(methods: dict[str, dict[str, dict[str, float]]], name: str, score: str) -> list[float]:
    """Of every folder the score over that of DIS MEDIUM."""
    least = SMALLEST_FL if score == "fl_percent" else 0
    theirs = {folder: scores[score] for folder, scores in methods[BASE].items() if scores[score] > least}
    return [methods[name][folder][score] / value for folder, value in theirs.items()]


def _geometric(ratios: list[float]) -> float:
    return float(np.exp(np.mean(np.log(np.maximum(ratios, 1e-9))))) if ratios else float("nan")


def _mean(folders: dict[str, dict[str, float]], score: str) -> float:
    return float(np.mean([scores.get(score, np.nan) for scores in folders.values()]))


def _folders(group: str) -> list[Path]:
    roots = [Path(name) for name in sorted(glob.glob(group))]
    found = [path for root in roots for path in (root, *sorted(root.rglob("*"))) if _has_flow(path)]
    if not found:
        sys.exit(f"{group}: no folder with known flow; give one in Middlebury, KITTI, Chairs or posed layout")
    return found


def _scores_of_group(folders: list[Path]) -> dict[str, dict[str, dict[str, float]]]:
    return {name: {str(path): _flow_scores(path, name) for path in folders} for name in METHODS}


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
