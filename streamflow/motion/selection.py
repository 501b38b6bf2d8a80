"""Which model a pair of views calls for: still, turning, a plane, or a camera that moves."""

import numpy as np

from streamflow.motion.blocks import blocks_of, standard_error
from streamflow.values import Matrix, Status

# Flow errors are alike among neighbours, so N points are fewer than N measurements and a richer model
# fits what they share: by so much a point it has to win. Both a plane and depth do, more or less.
MARGINS = {Status.STATIC: 0.25, Status.ROTATION: 0.25, Status.PLANAR: 0.0}
# A plane is seen all over the image: it wins over a rotation when it wins by so many standard errors, and not
# when the flow just happens to be smooth in places.
SURE = 4.5


def gric(squared: Matrix, constraints: int, parameters: int) -> Matrix:
    """Geometric robust information criterion (N,), point by point; the smaller its mean the better.

    Torr 1998, An assessment of information criteria for motion model selection.

    Parameters
    ----------
    squared : (N,) residuals, squared, in units of their variance
    constraints : how many a point obeys: 2 when the model says where it goes, 1 when only on which line
    parameters : of the model
    """
    n = squared.size
    complexity = (4 - constraints) * np.log(4.0) + parameters * np.log(4.0 * n) / n
    return np.asarray(np.minimum(squared, 2.0 * constraints) + complexity)


def simplest(positions: Matrix, criteria: dict[Status, Matrix]) -> Status:
    """The first model, from simple to rich, that no richer one beats.

    Parameters
    ----------
    positions : (2, N) of the points
    criteria : of each model, simple to rich, its criterion (N,)
    """
    mean = {model: float(criterion.mean()) for model, criterion in criteria.items()}

    def beats(richer: Status, simple: Status) -> bool:
        if (simple, richer) == (Status.ROTATION, Status.PLANAR):
            return _surely(criteria[simple] - criteria[richer], positions)
        return mean[simple] - mean[richer] > MARGINS[simple]

    models = list(criteria)
    return next(
        model
        for index, model in enumerate(models)
        if not any(beats(richer, model) for richer in reversed(models[index + 1 :]))
    )


def _surely(gain: Matrix, positions: Matrix) -> bool:
    return float(gain.mean()) > SURE * standard_error(gain, blocks_of(positions))
