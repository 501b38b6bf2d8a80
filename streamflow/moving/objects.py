"""Objects: connected regions of moving cells, followed from frame to frame under one label."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction

import cv2
import numpy as np
from numpy.typing import NDArray

from streamflow.moving.evidence import Evidence
from streamflow.values import Mask

Labels = NDArray[np.int32]  # (h, w), 0 where nothing moves by itself

SMALLEST = 0.0015  # of the picture
CONFIRMATIONS = 3  # frames in which a region is found before it is an object
MEMORY = 0.7  # of what spoke for an object, from frame to frame
BEGIN, KEEP = 1.0, 0.0  # mean log-odds of a textured cell that begin an object, and that keep it
UNSUPPORTED = 0.05  # added to the weight: a region without texture has no say
OWN = 0.5  # share of a region that an object's predicted place covers, from which on it is the object's


@dataclass(frozen=True)
class Track:
    """What is remembered of an object."""

    label: int
    support: float  # mean log-odds over time
    sightings: int  # frames in which it was found
    since: Fraction | None


class ObjectTracker:
    """Gives regions the label of the object that was predicted where they are."""

    def __init__(self) -> None:
        self._tracks: dict[int, Track] = {}
        self._last_label = 0

    def __call__(
        self, moving: Mask, predicted: Labels, evidence: Evidence, time: Fraction | None
    ) -> tuple[Labels, list[Track]]:
        """Label the regions of a frame.

        Parameters
        ----------
        moving : (h, w) cells that seem to move by themselves
        predicted : (h, w) labels of the frame before, carried along
        evidence : of the pair
        time : of the frame, seconds

        Returns
        -------
        The labels of all that goes on, and the tracks of those that are confirmed.
        """
        labels = np.zeros(moving.shape, np.int32)
        for region in _regions(moving):
            labels[region] = self._owner(region, predicted)
        tracks = {}
        for label in np.unique(labels[labels > 0]):
            mask = labels == label
            track = self._continued(int(label), mask, evidence, time)
            if track is None:
                labels[mask] = 0
            else:
                tracks[track.label] = track
        self._tracks = tracks
        return labels, [track for track in tracks.values() if track.sightings >= CONFIRMATIONS]

    def _owner(self, region: Mask, predicted: Labels) -> int:
        """Label of the object most of whose prediction the region meets; a new one if there is none."""
        counts = np.bincount(predicted[region])
        if len(counts) > 1 and counts[1:].sum() > OWN * np.count_nonzero(region):
            return int(counts[1:].argmax()) + 1
        known = counts[1:] > OWN * np.bincount(predicted.ravel(), minlength=len(counts))[1 : len(counts)]
        if known.any():
            return int(np.where(known, counts[1:], 0).argmax()) + 1
        self._last_label += 1
        return self._last_label

    def _continued(self, label: int, mask: Mask, evidence: Evidence, time: Fraction | None) -> Track | None:
        weight = evidence.weight[mask]
        support = float((weight * evidence.log_odds[mask]).sum() / (weight.sum() + UNSUPPORTED * mask.sum()))
        before = self._tracks.get(label)
        if before is None:
            return Track(label, support, 1, time) if support > BEGIN else None
        support = MEMORY * before.support + (1 - MEMORY) * support
        return replace(before, support=support, sightings=before.sightings + 1) if support > KEEP else None


def _regions(moving: Mask) -> Iterable[Mask]:
    """Connected regions that are large enough."""
    count, regions, statistics, _ = cv2.connectedComponentsWithStats(moving.view(np.uint8))
    for region in range(1, count):
        if statistics[region, cv2.CC_STAT_AREA] >= SMALLEST * moving.size:
            yield regions == region
