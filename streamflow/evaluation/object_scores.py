"""Scores of what moves by itself, against masks of it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamflow.values import Mask, MovingObject

Labels = NDArray[np.uint8]


class ObjectScores:
    """Collects the scores of one sequence, as DAVIS defines them where it does [1]_.

    .. [1] F. Perazzi et al., "A benchmark dataset and evaluation methodology for video object
       segmentation", CVPR 2016.
    """

    def __init__(self) -> None:
        self._counts: list[int] = []  # objects in each frame
        self._similarities: list[float] = []  # J of each frame that has an annotated object
        self._agreed = self._found = self._true = 0  # pixels
        self._identities: dict[int, int] = {}  # annotated label -> ours, when last seen
        self._identity_changes = 0
        self._judged = False

    def add(self, objects: tuple[MovingObject, ...], labels: Labels | None, ignored: Mask | None) -> None:
        """Take a frame in.

        Parameters
        ----------
        objects : tuple of MovingObject
        labels : ndarray of uint8, shape (H, W), optional
            k where the k-th annotated object is, 0 elsewhere.
        ignored : ndarray of bool, shape (H, W), optional
            Pixels that are not judged.
        """
        self._counts.append(len(objects))
        if labels is None:
            return
        self._judged = True
        judged = np.ones(labels.shape, bool) if ignored is None else ~ignored
        truth = judged & (labels > 0)
        masks = [each.mask & judged for each in objects]
        self._add_pixels(masks, truth)
        if truth.any():
            self._similarities.append(_region_similarity(masks, truth))
        self._add_identities(objects, np.where(judged, labels, 0))

    def summary(self) -> dict[str, Any]:
        """Return the record; what has no truth is left out."""
        record: dict[str, Any] = {}
        if self._counts:
            record["objects_per_frame"] = float(np.mean(self._counts))
        if self._similarities:
            record["moving_iou"] = float(np.mean(self._similarities))
        if self._judged:
            record["moving_recall"] = self._agreed / self._true if self._true else None
            record["moving_precision"] = self._agreed / self._found if self._found else None
            record["identity_changes"] = self._identity_changes
        return record

    def _add_pixels(self, masks: list[Mask], truth: Mask) -> None:
        found = _union(masks, truth.shape)
        self._agreed += int(np.count_nonzero(found & truth))
        self._found += int(np.count_nonzero(found))
        self._true += int(np.count_nonzero(truth))

    def _add_identities(self, objects: tuple[MovingObject, ...], labels: Labels) -> None:
        """An annotated object is the one of ours that overlaps most; it should remain the same."""
        for label in np.unique(labels[labels > 0]):
            overlaps = {each.label: np.count_nonzero(each.mask & (labels == label)) for each in objects}
            ours = max(overlaps, key=lambda each: overlaps[each], default=None)
            if ours is None or not overlaps[ours]:
                continue
            self._identity_changes += self._identities.get(label, ours) != ours
            self._identities[label] = ours


def _region_similarity(masks: list[Mask], truth: Mask) -> float:
    """J: intersection over union of the truth and the objects that lie on it by more than half."""
    chosen = [mask for mask in masks if 2 * np.count_nonzero(mask & truth) > np.count_nonzero(mask)]
    found = _union(chosen, truth.shape)
    return float(np.count_nonzero(found & truth) / np.count_nonzero(found | truth))


def _union(masks: list[Mask], shape: tuple[int, ...]) -> Mask:
    return np.logical_or.reduce(masks) if masks else np.zeros(shape, bool)
