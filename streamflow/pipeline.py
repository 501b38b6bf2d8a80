"""The core loop: frames in, one result a pair out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from streamflow.analysis import Analysis
from streamflow.flow.methods import DenseFlow
from streamflow.options import Knobs, Options
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
) -> Iterator[Result]:
    """Analyse a stream, pair by pair, as its frames arrive.

    Parameters
    ----------
    frames : iterable of Frame
        Such as an open source; read one by one, never ahead.
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
        Another method of flow in the place of ours.

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
    health = health or getattr(frames, "health", None)
    for pair in frame_pairs(analysis.rectified(frames), options.reference, health):
        yield analysis(pair)
