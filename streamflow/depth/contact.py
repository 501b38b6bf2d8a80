"""Time until the camera's plane reaches each point."""

import numpy as np

from streamflow.depth.epipolar import Map, Matrix, Vector


def time_to_contact(
    inverse_depth: Map,
    R: Matrix,
    T: Vector,
    *,
    step: float = 1.0,
    interval: float = 1.0,
    min_forward: float = 0.05,
) -> Map:
    """Time until each point's depth is used up, at the present speed: 1 / (rho (R^T T)_3) frames.

    Parameters
    ----------
    inverse_depth : (H, W), 1/unit of length.
    R, T : motion from the newest frame to the previous one, so that R^T T is where the camera heads.
        For a pair that runs forward in time, pass the heading's opposite, -T.
    step : length of the newest step, in that unit.
    interval : its duration; 1 for an answer in frames.
    min_forward : share of the step along the optical axis below which nothing is approached.

    Returns
    -------
    (H, W), in the unit of `interval`; negative when the camera backs away, NaN where unknown and everywhere
    when the camera neither advances nor retreats.
    """
    forward = float(R[:, 2] @ T)
    if abs(forward) < min_forward:
        return np.full_like(inverse_depth, np.nan)
    with np.errstate(divide="ignore"):
        contact = np.divide(np.float32(interval / (forward * step)), inverse_depth)
    contact[~(inverse_depth > 0)] = np.nan
    return contact
