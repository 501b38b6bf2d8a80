"""The flow engine: two frames in, vectors and their predicted error out; work on one frame is done once."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from streamflow.flow.presets import PRESETS

if TYPE_CHECKING:
    from streamflow.flow.pyramid import Level

Grey = NDArray[np.uint8]  # (H, W)
Vectors = NDArray[np.float32]  # (H, W, 2), (u, v), pixels
Sigma = NDArray[np.float32]  # (H, W), pixels
SMALLEST = 16


class FramePyramid:
    """Everything computed from one frame alone; its buffers go back to the engine once it is dropped."""

    def __init__(self, levels: tuple[Level, ...]) -> None:
        self.levels = levels

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the frame, pixels."""
        height, width = self.levels[0].grey.shape
        return height, width


class FlowEngine:
    """Dense flow with predicted error, for a stream of frames or for two images.

    Parameters
    ----------
    preset : str
        A name in `PRESETS`: "fast" (half size), "balanced" (full size), "accurate" (slower, better).
    """

    def __init__(self, preset: str = "balanced") -> None:
        if preset not in PRESETS:
            raise ValueError(f"unknown flow preset {preset!r}; choose one of {', '.join(PRESETS)}")
        self._preset = PRESETS[preset]
        self._shape: tuple[int, int] | None = None
        self._spare: list[tuple[Level, ...]] = []

    def prepare(self, grey: Grey) -> FramePyramid:
        """Compute everything that belongs to one frame alone.

        Parameters
        ----------
        grey : ndarray, shape (H, W), uint8
            Not kept, may be read-only.
        """
        from streamflow.flow import pyramid

        if grey.ndim != 2 or grey.dtype != np.uint8:
            raise ValueError(f"the flow needs a grey uint8 image (H, W), got {grey.dtype} {grey.shape}")
        if min(grey.shape) < SMALLEST:
            raise ValueError(
                f"the flow needs images of at least {SMALLEST}x{SMALLEST} pixels, got {grey.shape}"
            )
        levels = self._unused(grey.shape) or pyramid.allocate(grey.shape, self._preset.finest_compared)
        pyramid.fill(grey, levels, self._preset.full_size)
        prepared = FramePyramid(levels)
        weakref.finalize(prepared, self._spare.append, levels).atexit = False
        return prepared

    def flow(
        self, reference: FramePyramid, target: FramePyramid, start: Vectors | None = None
    ) -> tuple[Vectors, Sigma]:
        """Estimate the flow from reference to target: x_target = x_reference + u.

        Parameters
        ----------
        reference, target : FramePyramid
        start : ndarray, shape (ceil(H / 2), ceil(W / 2), 2), float32
            Where about the flow is, pixels, at every second pixel: saves the search, if it is near.

        Returns
        -------
        vectors : ndarray, shape (H, W, 2), float32
            (u, v), pixels. The caller's own.
        sigma : ndarray, shape (H, W), float32
            Standard deviation of each component of its error, pixels. The caller's own.
        """
        if reference.shape != target.shape:
            raise ValueError(f"frames of one size are needed, got {reference.shape} and {target.shape}")
        self._fit_to(reference.shape)
        return self._estimate(reference.levels, target.levels, start)

    def __call__(self, reference: Grey, target: Grey) -> tuple[Vectors, Sigma]:
        """Estimate the flow between two grey images; see `flow`."""
        return self.flow(self.prepare(reference), self.prepare(target))

    def _unused(self, shape: tuple[int, ...]) -> tuple[Level, ...] | None:
        """Buffers of a frame of this size that was dropped; those of other sizes are let go."""
        while self._spare:
            levels = self._spare.pop()
            if levels[0].grey.shape == shape:
                return levels
        return None

    def _fit_to(self, shape: tuple[int, ...]) -> None:
        """Set the buffers up for frames of this size."""
        from streamflow.flow.coarse_to_fine import CoarseToFine

        height, width = shape
        if (height, width) != self._shape:
            self._shape = height, width
            self._estimate = CoarseToFine(height, width, self._preset)
