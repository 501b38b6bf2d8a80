"""A camera motion up to scale: X_target = R X_reference + T."""

from typing import NamedTuple

from streamflow.values import Matrix


class Pose(NamedTuple):
    """A rotation, and the direction of a translation."""

    R: Matrix  # (3, 3)
    T: Matrix  # (3,) unit
