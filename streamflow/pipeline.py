"""The core loop: frames in, one result a pair out."""

from __future__ import annotations

from collections.abc import Generator, Iterable

from streamflow.analysis import Analysis
from streamflow.flow.methods import DenseFlow
from streamflow.options import Knobs, Options
from streamflow.overlap import overlapped
from streamflow.pairs import frame_pairs
from streamflow.stages import Stage, with_what_they_build_on
from streamflow.values import Frame, Health, Result, SourceInfo

EVERYTHING = frozenset(Stage)


def results(
    frames: Iterable[Frame],
    stages: Iterable[str] = EVERYTHING,
    options: Options | None = None,
    *,
    knobs: Knobs | None = None,
    source: SourceInfo | None = None,
    health: Health | None = None,
    engine: DenseFlow | None = None,
    threads: int = 1,
) -> Generator[Result, None, None]:
    """Analyse a stream, pair by pair, as its frames arrive.

    Parameters
    ----------
    frames : iterable of Frame
        Such as an open source; read one by one. With one thread never ahead; with more one frame ahead,
        unless `health` says that it has to be waited for.
    stages : set of Stage, or their names
        What to compute; what it builds on is computed too.
    options : Options, optional
        How to compute it.
    knobs : Knobs, optional
        What may change while the stream runs.
    source : SourceInfo, optional
        What is known of the camera, if the source knows it.
    health : Health, optional
        Where cuts and repeated frames are counted; the source's, if it has one.
    engine : DenseFlow, optional
        Another method of flow in the place of ours; asked by two threads at once, if there are as many.
    threads : int
        How many may work on the stream; the results are the same.

    Yields
    ------
    Result
        For every two frames that follow one another; again, with `pair.repeat`, for a frame that shows the
        last picture again.

    Raises
    ------
    UsageError
        The options contradict each other or the frames.
    """
    options = options or Options()
    analysis = Analysis(
        with_what_they_build_on(stages),
        options,
        knobs or Knobs(),
        source or getattr(frames, "info", None),
        engine,
    )
    health = health or getattr(frames, "health", None) or Health()
    pairs = frame_pairs(analysis.rectified(frames), options.reference, health)
    if threads == 1:
        yield from map(analysis, pairs)
    else:
        yield from overlapped(pairs, analysis.begin, analysis.finish, lambda: health.next_is_late)
