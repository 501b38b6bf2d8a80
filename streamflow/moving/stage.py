"""The moving stage: what moves by itself in a pair, found with what the stream has shown so far."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from streamflow.moving.appearance import Appearance
from streamflow.moving.cells import Cells, cells_of
from streamflow.moving.edge_aware import EdgeAwareFilter
from streamflow.moving.evidence import BackgroundMotion, Evidence
from streamflow.moving.expansion import Approach, growth, infinity
from streamflow.moving.labelling import mean_field
from streamflow.moving.objects import Labels, ObjectTracker, Track
from streamflow.values import Flow, FramePair, Map, Mask, Matrix, Motion, MovingObject, Vectors

REACH = 10.0  # cells over which evidence is averaged within a surface
EDGE = 0.7  # of the rms difference of neighbouring colours: counts as an edge
LARGEST_STEP = 20.0  # of colour, beyond which a difference counts no more for that rms
SOFT = 3.0  # edges over which an average stops
UNKNOWN = 0.2  # weight that evidence is to outweigh: with less the average tends to zero
TRUST = 0.35  # in the log-odds of a cell: neighbours' flow errors are not independent
REST = 0.5  # log-odds for the background, before anything is seen
CARRIED = 0.2  # of the log-odds of the frame before
MOST_CARRIED = 5.0  # log-odds
NEAR = 10  # cells from where an object is expected within which its colours count
LOOKS = 1.5  # times the log-likelihood ratio of colours
EDGE_OF_OTHERS = 1.0  # on the scale of labels: another object is no part of this one


class MovingStage:
    """Remembers log-odds, labels and colours of the last frame, all on the grid of cells."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the stream."""
        self._background, self._appearance = BackgroundMotion(), Appearance()
        self._tracker, self._approach = ObjectTracker(), Approach()
        self._log_odds: Map | None = None
        self._labels: Labels | None = None
        self._cells = lru_cache(1)(cells_of)  # of one pair, which is looked at twice

    def __call__(
        self, pair: FramePair, flow: Flow, motion: Motion, camera_matrix: Matrix
    ) -> tuple[MovingObject, ...]:
        """Find what moves by itself on the reference image."""
        cells = self._cells(pair.reference, flow)
        prior, predicted = self._carried(cells, pair)
        contrast = EDGE * _contrast(cells.colour)
        rng = np.random.default_rng(pair.reference.index)
        evidence = self._background(
            cells, motion, camera_matrix, 1 / (1 + np.exp(prior)),
            EdgeAwareFilter(cells.colour, REACH / 2, SOFT * contrast), rng,
        )  # fmt: skip
        sums, weight = EdgeAwareFilter(cells.colour, REACH, SOFT * contrast)(
            evidence.log_odds, evidence.weight
        )
        unary = TRUST * sums / (weight + np.float32(UNKNOWN)) + prior - np.float32(REST)
        unary += LOOKS * np.where(_near(prior > 0), self._appearance.log_ratio(cells.colour), 0)
        mean = mean_field(unary, cells.colour, contrast)
        labels, tracks = self._tracker(mean > 0, predicted, evidence, pair.reference.time)
        mean[(labels == 0) & (mean > 0)] = 0
        self._log_odds = np.clip(2 * np.arctanh(np.clip(mean, -0.999, 0.999)), -MOST_CARRIED, MOST_CARRIED)
        self._labels = labels
        self._appearance.learn(cells.colour, labels > 0)
        self._approach.keep({track.label for track in tracks})
        still = infinity(motion, camera_matrix, forward=pair.forward)
        described = (_described(track, labels, mean, cells, evidence, pair) for track in tracks)
        return tuple(self._with_contact(part, labels == part.label, cells, pair, still) for part in described)

    def _with_contact(
        self, part: MovingObject, inside: Mask, cells: Cells, pair: FramePair, still: Matrix
    ) -> MovingObject:
        """The object with its time to contact, where it comes nearer and there is a clock."""
        if pair.interval is None:
            return part
        x, y, width, height = part.box
        seconds = float(pair.interval) if pair.forward else -float(pair.interval)
        found = growth(cells, inside, still, np.array([x + (width - 1) / 2, y + (height - 1) / 2]))
        rate = self._approach(part.label, found, _size(inside, cells), seconds)
        if found is None or rate is None:
            return part
        return replace(part, time_to_contact=1 / rate, miss=found.shift / seconds / rate)

    def expected(self, pair: FramePair, flow: Flow) -> Mask | None:
        """(H, W) where what moved by itself in the last pair is now; None where nothing did."""
        if self._labels is None or not self._labels.any():
            return None
        cells = self._cells(pair.reference, flow)
        _, predicted = self._carried(cells, pair)
        return cells.enlarged((predicted > 0).astype(np.float32)) > 0.5

    def _carried(self, cells: Cells, pair: FramePair) -> tuple[Map, Labels]:
        """Log-odds and labels of the last frame, where the flow says they are now.

        The flow of a pair leads from its newest frame back; where the pair runs forward it leads on from the
        frame before, and the way back is about its opposite.
        """
        if self._log_odds is None or self._labels is None or self._log_odds.shape != cells.shape:
            return np.zeros(cells.shape, np.float32), np.zeros(cells.shape, np.int32)
        before = cells.positions + (-cells.vectors if pair.forward else cells.vectors)
        prior = CARRIED * cells.sample(self._log_odds, before)
        return prior, cells.nearest(self._labels, before)


def _contrast(colour: NDArray[np.floating]) -> float:
    """Rms difference of neighbouring colours."""
    steps = np.square(np.diff(colour, axis=1)).sum(axis=-1)
    return float(np.sqrt(np.minimum(steps, LARGEST_STEP**2).mean())) + 0.1


def _near(expected: Mask) -> Mask:
    """Cells within `NEAR` of where an object is expected."""
    size = 2 * NEAR + 1
    return cv2.dilate(expected.view(np.uint8), np.ones((size, size), np.uint8)) > 0


def _described(
    track: Track, labels: Labels, mean: Map, cells: Cells, evidence: Evidence, pair: FramePair
) -> MovingObject:
    """The object in pixels of the picture and seconds."""
    inside = labels == track.label
    mask = cells.enlarged(np.where(inside, mean, -np.abs(mean) - EDGE_OF_OTHERS * (labels > 0))) > 0
    return MovingObject(
        label=track.label,
        mask=mask,
        velocity=_velocity(evidence.residual[inside], evidence.weight[inside], pair),
        confidence=float(1 / (1 + np.exp(-track.support))),
        since=track.since,
    )


def _size(inside: Mask, cells: Cells) -> float | None:
    """Side of a square as large as the object, pixels; None where the picture's border cuts it off."""
    y, x = np.nonzero(inside)
    height, width = inside.shape
    whole = min(x.min(), y.min()) > 0 and x.max() < width - 1 and y.max() < height - 1
    return float(np.sqrt(len(x))) * cells.side if whole else None


def _velocity(residual: Vectors, weight: Map, pair: FramePair) -> Matrix:
    """(2,) pixels a second, the way time goes; NaN without a clock."""
    seconds = float("nan") if pair.interval is None else float(pair.interval)
    moved = np.average(residual, axis=0, weights=weight + np.float32(1e-6)).astype(float)
    return np.asarray((moved if pair.forward else -moved) / seconds)
