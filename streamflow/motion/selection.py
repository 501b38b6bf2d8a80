"""Which model a pair of views calls for: still, turning, a plane, or a camera that moves."""

import numpy as np

from streamflow.values import Matrix, Status

# Flow errors are alike among neighbours, so N points are fewer than N measurements and a richer model
# fits what they share: by so much a point it has to win.
MARGINS = {Status.STATIC: 0.25, Status.ROTATION: 0.30, Status.PLANAR: 0.10}


def gric(squared: Matrix, constraints: int, parameters: int) -> float:
    """Geometric robust information criterion per point; smaller is better.

    Torr 1998, An assessment of information criteria for motion model selection.

    Parameters
    ----------
    squared : (N,) residuals, squared, in units of their variance
    constraints : how many a point obeys: 2 when the model says where it goes, 1 when only on which line
    parameters : of the model
    """
    n = squared.size
    misfit = float(np.minimum(squared, 2.0 * constraints).mean())
    return float(misfit + (4 - constraints) * np.log(4.0) + parameters * np.log(4.0 * n) / n)


def simplest(criteria: dict[Status, float]) -> Status:
    """The first model, from simple to rich, that no richer one beats by its margin."""
    for status, margin in MARGINS.items():
        richer = list(criteria)[list(criteria).index(status) + 1 :] if status in criteria else []
        if richer and criteria[status] < min(criteria[other] for other in richer) + margin:
            return status
    return Status.MOVING
