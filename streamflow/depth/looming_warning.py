"""The looming warning: confirmed over time, so that it neither flashes nor flickers."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from streamflow.depth.looming import looming_regions
from streamflow.depth.looming_objects import looming_objects
from streamflow.errors import UsageError
from streamflow.geometry.rotation import unit
from streamflow.options import Options
from streamflow.values import Depth, FramePair, Looming, Mask, Matrix, Motion, MovingObject

SIGHTINGS = 3  # in a row that confirm a region: a warning comes two frames late
LET_GO = 1.15  # limit of what is warned of already, over the limit


class LoomingWarning:
    """Binds the limit; remembers what was sighted.

    A region is warned of from its third sighting in a row until its time is clearly above the limit or it
    was missed as often.
    """

    def __init__(self, options: Options) -> None:
        self._limit = options.warn_below
        self.reset()

    def reset(self) -> None:
        """Forget what was sighted."""
        self._seen: list[tuple[Mask, int]] = []  # regions, and how often they were sighted

    def __call__(
        self,
        pair: FramePair,
        motion: Motion,
        depth: Depth,
        camera_matrix: Matrix,
        objects: Iterable[MovingObject] = (),
    ) -> tuple[Looming, ...] | None:
        """Return what is to be warned of, the most urgent first; None where nobody asked."""
        if self._limit is None:
            return None
        if pair.newest.time is None:
            raise UsageError("`warn_below` needs a clock, and these frames have no times: give `fps`")
        regions = looming_objects(objects, LET_GO * self._limit)
        if motion.translation is not None and depth.contact_unit == "s":
            heading = unit(np.linalg.inv(camera_matrix) @ motion.translation.epipole)
            regions += looming_regions(depth, camera_matrix, heading, self._limit)
        return self._confirmed(sorted(regions, key=lambda region: region.time), self._limit)

    def _confirmed(self, regions: list[Looming], limit: float) -> tuple[Looming, ...]:
        sighted = [(region, self._sightings(region, limit)) for region in regions]
        missed = [
            (mask, count - 1)
            for mask, count in self._seen
            if count > 1 and not any((mask & region.mask).any() for region in regions)
        ]
        self._seen = [(region.mask, count) for region, count in sighted if count] + missed
        return tuple(region for region, count in sighted if count == SIGHTINGS)

    def _sightings(self, region: Looming, limit: float) -> int:
        before = max((count for mask, count in self._seen if (mask & region.mask).any()), default=0)
        longest = LET_GO * limit if before == SIGHTINGS else limit
        return min(before + 1, SIGHTINGS) if region.time < longest else 0
