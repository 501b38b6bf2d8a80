"""The two steps of a Kalman filter on the inverse depth of every pixel: carry it over, and measure again."""

import numpy as np
from numpy.typing import NDArray

from streamflow.compiler import kernel
from streamflow.depth.epipolar import Map, Matrix, Vector, Vectors
from streamflow.values import Depth, Unknown

UNCERTAINTY = np.float32(0.005)  # of a prediction, as a share of it: interpolation, motion, scale
SAME_SURFACE = np.float32(1.1)  # neighbours whose inverse depths differ by a larger factor are not mixed
GATE2 = np.float32(9)  # squared standard deviations between prediction and measurement
DOUBT = np.float32(4)  # factor on the variance of a prediction that was contradicted
LOST = np.float32(0.25)  # squared relative error above which nothing is known any more, as behind the camera
NOTHING = np.float32(np.nan)
HALF = np.float32(0.5)
NOT_SEEN_BEFORE = np.uint8(Unknown.OCCLUDED | Unknown.OUTSIDE)
MOVING, NO_EVIDENCE, KNOWN = np.uint8(Unknown.MOVING), np.uint8(Unknown.NO_EVIDENCE), np.uint8(0)


def leaves_image(vectors: Vectors) -> NDArray[np.bool_]:
    """Pixels whose flow is unknown or leads out of the image, (H, W)."""
    height, width = vectors.shape[:2]
    x = np.arange(width, dtype=np.float32) + vectors[..., 0]
    y = np.arange(height, dtype=np.float32)[:, None] + vectors[..., 1]
    return np.asarray(~((x >= 0) & (y >= 0) & (x <= width - 1) & (y <= height - 1)))


def predict(
    inverse_depth: Map,
    variance: Map,
    vectors: Vectors,
    unknown: NDArray[np.uint8],
    K: Matrix,
    R: Matrix,
    step: Vector,
) -> tuple[Map, Map]:
    """Carry inverse depth from the previous frame to the newest: gathered along the flow, so without holes.

    From Z_p b = R Z a + step follows 1/rho = (R^T b)_3 / rho_p - (R^T step)_3.

    Parameters
    ----------
    inverse_depth, variance : (H, W), on the previous frame.
    vectors : (H, W, 2), flow from the newest frame to the previous, pixels.
    unknown : (H, W), the pair's `Unknown` bits; what it finds occluded or outside was not seen before.
    K : camera matrix, pixels.
    R, step : motion from the newest frame to the previous; step = T times its length, in the unit of depth.

    Returns
    -------
    inverse_depth, variance : (H, W), on the newest frame.
    """
    backwards = (R.T @ np.linalg.inv(K))[2].astype(np.float32)
    forward = np.float32(R[:, 2] @ step)
    predicted, spread = np.empty_like(inverse_depth), np.empty_like(variance)
    _predict(inverse_depth, variance, vectors, unknown, backwards, forward, predicted, spread)
    return predicted, spread


@kernel()
def _predict(inverse_depth, variance, vectors, unknown, backwards, forward, predicted, spread):
    """Sample the previous frame, bilinear within a surface and the nearest pixel at its edge, and step on."""
    k1, k2, k3 = backwards
    height, width = predicted.shape
    right, bottom = np.uint32(width - 2), np.uint32(height - 2)  # unsigned: their sign needs no check
    for y in range(height):
        for x in range(width):
            if unknown[y, x] & NOT_SEEN_BEFORE:
                predicted[y, x] = spread[y, x] = NOTHING
                continue
            p1, p2 = np.float32(x) + vectors[y, x, 0], np.float32(y) + vectors[y, x, 1]
            x0, y0 = min(np.uint32(p1), right), min(np.uint32(p2), bottom)
            fx, fy = p1 - np.float32(x0), p2 - np.float32(y0)
            row, column = y0 + np.uint32(fy + HALF), x0 + np.uint32(fx + HALF)
            a, b = inverse_depth[y0, x0], inverse_depth[y0, x0 + 1]
            c, d = inverse_depth[y0 + 1, x0], inverse_depth[y0 + 1, x0 + 1]
            top = a + fx * (b - a)
            rho = top + fy * (c + fx * (d - c) - top)
            same = max(max(a, b), max(c, d)) <= SAME_SURFACE * min(min(a, b), min(c, d))
            if not (same and rho == rho):
                rho = inverse_depth[row, column]
            stretch = np.float32(1) / (k1 * p1 + k2 * p2 + k3 - forward * rho)
            change = (k1 * p1 + k2 * p2 + k3) * stretch * stretch
            uncertainty = UNCERTAINTY * rho * stretch
            predicted[y, x] = rho * stretch
            spread[y, x] = variance[row, column] * change * change + uncertainty * uncertainty


def update(predicted: Map, spread: Map, measured: Depth, unit: float) -> Depth:
    """Join prediction and measurement where they agree; where not, keep the surer one.

    Parameters
    ----------
    predicted, spread : (H, W), inverse depth and variance expected on the newest frame.
    measured : depth of a pair on the same frame, in 1/steps.
    unit : length of the measurement's step, in the unit of the prediction.

    Returns
    -------
    Depth in the unit of the prediction; where neither knows, the measurement's reason, or too little
    evidence over time.
    """
    inverse_depth, joint = np.empty_like(predicted), np.empty_like(spread)
    why = np.empty_like(measured.unknown)
    seen = measured.inverse, measured.variance, measured.unknown, np.float32(1 / unit)
    _update(predicted, spread, *seen, inverse_depth, joint, why)
    return Depth(inverse_depth, joint, why)


@kernel()
def _update(predicted, spread, measured, variance, unknown, per_unit, inverse_depth, joint, why):
    for y in range(predicted.shape[0]):
        for x in range(predicted.shape[1]):
            rho, var = predicted[y, x], spread[y, x]
            seen, seen_var = measured[y, x] * per_unit, variance[y, x] * per_unit * per_unit
            if unknown[y, x] & MOVING:
                var *= DOUBT
            elif rho != rho:
                rho, var = seen, seen_var
            elif seen == seen:
                difference = seen - rho
                total = var + seen_var
                if difference * difference <= GATE2 * total:
                    rho += var / total * difference
                    var *= seen_var / total
                elif seen_var < var:
                    rho, var = seen, seen_var
                else:
                    var *= DOUBT
            lost = not (rho > 0 and var <= LOST * rho * rho)
            inverse_depth[y, x] = NOTHING if lost else rho
            joint[y, x] = NOTHING if lost else var
            why[y, x] = (unknown[y, x] or NO_EVIDENCE) if lost else KNOWN
