"""How fast the camera's plane comes towards what is in front of it."""

import numpy as np

from streamflow.depth.triangulation import Matrix, Vector

LEAST = 0.05  # share of the step along the optical axis below which nothing is approached


def approach(R: Matrix, T: Vector, *, step: float = 1.0, interval: float = 1.0) -> float:
    """Way along the optical axis in a unit of time: a depth z is used up in z / approach.

    Parameters
    ----------
    R, T : motion from the newest frame to the previous one, so that R^T T is where the camera heads.
        For a pair that runs forward in time, pass the heading's opposite, -T.
    step : length of the newest step, in the unit of depth.
    interval : its duration; 1 for an answer in frames.

    Returns
    -------
    float; negative when the camera backs away, NaN when it neither advances nor retreats.
    """
    forward = float(R[:, 2] @ T)
    return forward * step / interval if abs(forward) >= LEAST else np.nan
