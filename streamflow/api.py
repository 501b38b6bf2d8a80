"""The program from Python: arrays in, arrays out; images are RGB or grey here, uint8 or from 0 to 1."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType

    from numpy.typing import ArrayLike

    from sources import Source
    from streamflow.options import FlowMethod, Knobs, Options
    from streamflow.values import Frame, Health, Image, Map, Result, SourceInfo, Vectors


def flow(first: ArrayLike, second: ArrayLike, method: FlowMethod = "balanced") -> tuple[Vectors, Map]:
    """Estimate the dense optical flow between two images.

    Parameters
    ----------
    first, second : array_like, shape (H, W) or (H, W, 3)
        Grey or RGB; uint8, or floating point from 0 to 1.
    method : {"fast", "balanced", "accurate", "plain"}
        How much time to spend.

    Returns
    -------
    vectors : ndarray of float32, shape (H, W, 2)
        (u, v), pixels: what is at x in `first` is at x + vectors in `second`.
    sigma : ndarray of float32, shape (H, W)
        Standard deviation of each component of the error of `vectors`, pixels.

    Raises
    ------
    UsageError
        An image has a wrong shape, type or range, the two differ in size, or there is no such method.
    """
    from streamflow.arrays import frames
    from streamflow.cli.compilation import compiled
    from streamflow.errors import UsageError
    from streamflow.flow.methods import dense_flow
    from streamflow.options import Options
    from streamflow.stages import Stage

    estimator = dense_flow(Options(flow=method).flow)
    reference, target = frames([first, second])
    if reference.size != target.size:
        sizes = "{}x{} and {}x{}".format(*reference.size, *target.size)
        raise UsageError(f"two images of one size are needed, not {sizes}")
    compiled({Stage.FLOW}, method)
    return estimator.flow(estimator.prepare(reference.grey), estimator.prepare(target.grey))


def results(
    source: Iterable[Frame | ArrayLike],
    stages: Iterable[str] = ("flow", "motion", "depth", "planes"),
    options: Options | None = None,
    *,
    knobs: Knobs | None = None,
    threads: int = 1,
) -> Iterator[Result]:
    """Analyse a stream, pair by pair, as its frames arrive.

    Parameters
    ----------
    source : iterable of Frame or array_like
        Such as `open` returns; or images, (H, W) grey or (H, W, 3) RGB, uint8 or floating point from 0 to 1.
        Read one by one; never ahead with one thread, one ahead with more, unless that is a camera's frame
        that has to be waited for.
    stages : set of {"flow", "motion", "moving", "depth", "planes"}
        What to compute; what it builds on is computed too.
    options : Options, optional
        How to compute it.
    knobs : Knobs, optional
        What may change while the stream runs.
    threads : int
        How many may work on the stream; the results are the same.

    Returns
    -------
    iterator of Result
        One for every two frames that follow one another; again, with `pair.repeat`, for a frame that shows
        the last picture again.

    Raises
    ------
    UsageError
        There is no such stage, or the options contradict each other or the frames.
    """
    from streamflow.arrays import frames
    from streamflow.cli.compilation import compiled
    from streamflow.options import Options
    from streamflow.pipeline import results
    from streamflow.stages import with_what_they_build_on

    wanted, images = with_what_they_build_on(stages), frames(source)
    compiled(wanted, (options or Options()).flow)
    return results(
        images,
        wanted,
        options,
        knobs=knobs,
        source=getattr(source, "info", None),
        health=getattr(source, "health", None),
        threads=threads,
    )


def open(spec: str, **options: Any) -> OpenSource:
    """Open a video file, a folder or glob of images, a camera, a URL or "demo".

    Parameters
    ----------
    spec : str
        As on the command line.
    **options
        Those of `sources.open_source`, such as ``fps``.

    Returns
    -------
    OpenSource
        Iterable of frames, once; a context that releases the input at its end.

    Raises
    ------
    SourceError
        The input is missing or is not what its name says.
    """
    from sources import open_source

    return OpenSource(open_source(spec, **options))


class OpenSource:
    """Frames of an open source; as a context it closes the source at the end."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.info: SourceInfo = source.info  # what is known of the stream
        self.health: Health = source.health  # what happened to it so far
        self.close = source.close

    def __iter__(self) -> Iterator[Frame]:
        return iter(self._source)

    def __enter__(self) -> OpenSource:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<open source {self.info.name}>"


def draw(result: Result, view: str | None = None) -> Image:
    """Draw a view of a result.

    Parameters
    ----------
    result : Result
    view : str, optional
        As `--view` has it: "flow", "confidence", "epipole", "moving", "depth", "ttc", "planes". The default
        is what was computed last.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
        RGB.

    Raises
    ------
    UsageError
        There is no such view.
    """
    import cv2
    import numpy as np

    from streamflow.draw.painter import Painter
    from streamflow.draw.panel import Style
    from streamflow.draw.views import VIEWS
    from streamflow.errors import UsageError
    from streamflow.options import Knobs

    view = view or _latest_view(result)
    if view not in VIEWS:
        raise UsageError(f"no view {view!r}; there are {', '.join(VIEWS)}")
    knobs = Knobs() if result.flow is None else Knobs(result.flow.threshmin)
    return np.asarray(cv2.cvtColor(Painter(knobs, Style((view,))).draw(result), cv2.COLOR_BGR2RGB), np.uint8)


def _latest_view(result: Result) -> str:
    """Return the view of the last stage that ran, depth before planes: it shows all of the picture."""
    if result.depth is not None:
        return "depth"
    return "flow" if result.motion is None else "epipole"
