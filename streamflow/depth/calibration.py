"""How far the flow is really off: its error across the epipolar lines, which needs no truth."""

import numpy as np
from numpy.typing import NDArray

from streamflow.depth.triangulation import Map, Matrix, Vector, Vectors, pixel_motion

SPACING = 4  # pixels between those that are looked at
FEWEST = 400  # of them, for an answer
BINS = 8  # of predicted error
MOST = np.float32(2.0)  # pixels: predicted error of what takes part
QUANTILE, DEVIATIONS = 0.8, 1.2816  # of errors in a bin, and where a Gaussian has it: tails are heavier
ALONG = 1.2  # error along the line over that across it: there the flow follows what is next to it


def calibrated(sigma: Map, vectors: Vectors, K: Matrix, R: Matrix, T: Vector) -> Map:
    """Raise the flow's predicted error to what this pair shows.

    A still scene's flow ends on the epipolar lines, so how far off them it ends is a sample of its error. A
    codec adds to the error what the texture does not tell: sigma^2 -> floor^2 + gain^2 sigma^2, both fitted
    to the pair. What it does to flow along the lines, where everything is drawn out to be still, is not seen.

    Parameters
    ----------
    sigma : (H, W), predicted error of each component, pixels; NaN or inf where unknown.
    vectors : (H, W, 2), flow in pixels.
    K : camera matrix, pixels.
    R, T : the camera's motion.

    Returns
    -------
    (H, W), nowhere less than `sigma`.
    """
    predicted, across = sigma[::SPACING, ::SPACING], np.abs(off_line(vectors, K, R, T))
    usable = (predicted < MOST) & np.isfinite(across)  # False for NaN
    if np.count_nonzero(usable) < FEWEST:
        return sigma
    floor2, gain2 = _fitted(predicted[usable].astype(float), across[usable])
    squared = sigma * sigma
    return np.asarray(np.sqrt(np.maximum(squared, floor2 + gain2 * squared)))


def _fitted(predicted: NDArray[np.float64], across: NDArray[np.float64]) -> tuple[np.float32, np.float32]:
    """floor^2 and gain^2 of the errors in bins of equally many."""
    bins = np.array_split(np.argsort(predicted), BINS)
    expected = np.array([np.median(predicted[each]) for each in bins])
    found = np.array([np.quantile(across[each], QUANTILE) for each in bins]) * (ALONG / DEVIATIONS)
    weight = 1 / np.maximum(found, 1e-3) ** 2
    rows = np.column_stack([weight, weight * expected**2])
    floor2, gain2 = np.linalg.lstsq(rows, weight * found**2)[0]
    return np.float32(floor2), np.float32(gain2)


def off_line(vectors: Vectors, K: Matrix, R: Matrix, T: Vector) -> NDArray[np.float64]:
    """Signed distance of each flow vector's end from its pixel's epipolar line, pixels, on the grid.

    As in `streamflow.depth.triangulation.solve_pixel`, whose units it shares.
    """
    H, e = pixel_motion(K, R, T)
    ends = vectors[::SPACING, ::SPACING]
    y, x = SPACING * np.mgrid[: ends.shape[0], : ends.shape[1]]
    p1, p2 = x + ends[..., 0], y + ends[..., 1]
    h1, h2, h3 = (row[0] * x + row[1] * y + row[2] for row in H.astype(float))
    m1, m2 = p1 * h3 - h1, p2 * h3 - h2
    d1, d2 = e[0] - p1 * e[2], e[1] - p2 * e[2]
    dd = d1 * d1 + d2 * d2
    rho = (d1 * m1 + d2 * m2) / dd
    return np.asarray((d1 * m2 - d2 * m1) / (np.sqrt(dd) * (h3 + rho * e[2])))
