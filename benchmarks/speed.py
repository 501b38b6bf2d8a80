"""Speed of the flow and of the whole chain, against OpenCV's methods and the original loop, in one run.

Every method takes its turn on the same pair, round after round, one thread each; figures are medians over the
rounds, and the ratios medians of the ratios within a round: so they hold on a busy machine.

    python benchmarks/speed.py [--json] [--rounds N]
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parent.parent))

from sources.synthetic import SyntheticSource
from streamflow.analysis import Analysis
from streamflow.evaluation.peers import PEERS
from streamflow.flow.engine import FlowEngine
from streamflow.flow.plain import lucas_kanade
from streamflow.flow.presets import PRESETS
from streamflow.kernels.derivatives import space_derivatives, time_derivative
from streamflow.options import Knobs, Options
from streamflow.stages import Stage, with_what_they_build_on
from streamflow.values import Frame, FramePair, Image, Map

SIZES = ("512x512", "640x480", "1280x720")
FRAMES = 6
CROP = 40  # pixels, side of the part on which the original's loop is timed
Methods = dict[str, Callable[[int], object]]


def main() -> None:
    """Print a table, or one JSON object by size and preset."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    record = {size: measure(size, arguments.rounds) for size in SIZES}
    if arguments.json:
        print(json.dumps(record, indent=2))
    else:
        show(record)


def measure(size: str, rounds: int) -> dict[str, dict[str, float]]:
    """Time every method on one size and return the figures of each preset."""
    source = SyntheticSource(f"demo:turning,size={size},frames={FRAMES}")
    frames = list(source)
    ix, iy, it = derivatives(frames)
    methods = flow_methods(frames) | {
        "chain": chain(frames, source),
        "plain": lambda _: lucas_kanade(ix, iy, it),
        "original": original(ix, iy, it),
    }
    times = interleaved(methods, rounds)
    width, height = source.info.size or (0, 0)
    times["original"] = [value * width * height / CROP**2 for value in times["original"]]
    return {preset: figures(times, preset) for preset in PRESETS}


def flow_methods(frames: list[Frame]) -> Methods:
    """Every method takes one new frame a round, as in a stream: work on the frame before is done already."""
    methods: Methods = {}
    for name, engine in {preset: FlowEngine(preset) for preset in PRESETS}.items():
        methods[name] = _streaming(engine, frames)
    for name, peer in PEERS.items():
        methods[name] = lambda i, peer=peer: peer(*_greys(frames, i))  # type: ignore[misc]
    return methods


def _streaming(engine: FlowEngine, frames: list[Frame]) -> Callable[[int], object]:
    prepared = [engine.prepare(frame.grey) for frame in frames]

    def step(i: int) -> object:
        newest, previous = i % (FRAMES - 1) + 1, i % (FRAMES - 1)
        return engine.flow(engine.prepare(frames[newest].grey), prepared[previous])

    return step


def chain(frames: list[Frame], source: SyntheticSource) -> Callable[[int], object]:
    """Flow, motion, depth and fusion, warm, as a stream runs them."""
    stages = with_what_they_build_on({Stage.DEPTH})
    analysis = Analysis(stages, Options(), Knobs(), source.info)

    def step(i: int) -> object:
        position = i % (FRAMES - 1)
        # Fresh frame objects: nothing is remembered of them but what the chain itself remembers.
        newest = frames[position + 1]
        return analysis(FramePair(newest, frames[position], starts_segment=None if position else "start"))

    return step


def derivatives(frames: list[Frame]) -> tuple[Map, Map, Map]:
    """Ix, Iy and It of a pair: what the plain method and the original's loop begin with."""
    reference, target = frames[1].grey, frames[0].grey
    return *space_derivatives(reference), time_derivative(reference, target)


def original(ix: Map, iy: Map, it: Map) -> Callable[[int], object]:
    """One least-squares problem a pixel, in a Python loop, on a crop."""

    def loop(_: int) -> object:
        flow = np.zeros((CROP, CROP, 2))
        for y in range(CROP):
            for x in range(CROP):
                window = np.s_[100 + y : 105 + y, 100 + x : 105 + x]
                system = np.column_stack([ix[window].ravel(), iy[window].ravel()])
                flow[y, x] = np.linalg.lstsq(system, -it[window].ravel(), rcond=None)[0]
        return flow

    return loop


def interleaved(methods: Methods, rounds: int) -> dict[str, list[float]]:
    """Milliseconds of every method in every round; two rounds to warm up are not counted."""
    times: dict[str, list[float]] = {name: [] for name in methods}
    for i in range(-2, rounds):
        for name, method in methods.items():
            started = time.perf_counter()
            method(i + 2)
            if i >= 0:
                times[name].append(1000 * (time.perf_counter() - started))
    return times


def figures(times: dict[str, list[float]], preset: str) -> dict[str, float]:
    """Milliseconds and ratios of one preset."""

    def ratio(above: str, below: str) -> float:
        return median(a / b for a, b in zip(times[above], times[below], strict=True))

    record = {"ms": median(times[preset])}
    record |= {f"flow_over_{name.replace('-', '_')}": ratio(preset, name) for name in PEERS}
    record["original_over_flow"] = ratio("original", preset)
    record["original_over_plain"] = ratio("original", "plain")
    record["chain_over_dis_medium"] = ratio("chain", "dis-medium")
    return record


def show(record: dict[str, dict[str, dict[str, float]]]) -> None:
    """One row a size and preset."""
    table = Table("size", "preset", *next(iter(record["640x480"].values())))
    for size, presets in record.items():
        for preset, row in presets.items():
            table.add_row(size, preset, *(f"{value:.3g}" for value in row.values()))
    Console(width=160).print(table)


def _greys(frames: list[Frame], i: int) -> tuple[Image, Image]:
    return frames[i % (FRAMES - 1) + 1].grey, frames[i % (FRAMES - 1)].grey


if __name__ == "__main__":
    main()
