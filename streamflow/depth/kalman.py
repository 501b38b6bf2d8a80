"""The two steps of a Kalman filter on the inverse depth of every pixel: carry it over, and measure again."""

import numpy as np
from numpy.typing import NDArray

from streamflow.depth.triangulation import Map, Matrix, Vector, Vectors
from streamflow.kernels.jit import inline_kernel, kernel
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
    interleaved = vectors.reshape(len(vectors), -1)
    _predict(inverse_depth, variance, interleaved, unknown, backwards, forward, predicted, spread)
    return predicted, spread


@kernel()
def _predict(inverse_depth, variance, vectors, unknown, backwards, forward, predicted, spread):
    """Do a row at a time; vectors, shape (H, 2 W), have u and v in turn."""
    height, width = predicted.shape
    before = inverse_depth.reshape(-1), variance.reshape(-1), height, width
    for y in range(height):
        out = predicted[y], spread[y]
        _predict_row(np.float32(y), *before, vectors[y], unknown[y], backwards, forward, *out)


@inline_kernel(noalias=True, fastmath=False)
def _predict_row(y, rho_p, var_p, height, width, vectors, unknown, backwards, forward, predicted, spread):
    """Sample the previous frame, bilinear within a surface and the nearest pixel at its edge, and step on.

    Without a branch, so that several pixels are computed at once.
    """
    k1, k2, k3 = backwards
    right, bottom, columns = np.int32(width - 2), np.int32(height - 2), np.int32(width)
    zero, one, last_x, last_y = np.float32(0), np.float32(1), np.float32(width - 1), np.float32(height - 1)
    for x in range(len(predicted)):
        p1, p2 = np.float32(x) + vectors[2 * x], y + vectors[2 * x + 1]
        p1, p2 = p1 if p1 > zero else zero, p2 if p2 > zero else zero  # NaN, too
        p1, p2 = p1 if p1 < last_x else last_x, p2 if p2 < last_y else last_y
        x0, y0 = min(np.int32(p1), right), min(np.int32(p2), bottom)
        fx, fy = p1 - np.float32(x0), p2 - np.float32(y0)
        near_x, near_y = np.int32(fx + HALF), np.int32(fy + HALF)
        corner = np.uint32(y0 * columns + x0)  # unsigned: its sign needs no check
        below = np.uint32(corner + np.uint32(columns))
        a, b, c, d = rho_p[corner], rho_p[corner + np.uint32(1)], rho_p[below], rho_p[below + np.uint32(1)]
        top = a + fx * (b - a)
        rho = top + fy * (c + fx * (d - c) - top)
        same = max(max(a, b), max(c, d)) <= SAME_SURFACE * min(min(a, b), min(c, d))
        upper, lower = b if near_x else a, d if near_x else c
        nearest = lower if near_y else upper
        rho = rho if same & (rho == rho) else nearest
        stretch = one / (k1 * p1 + k2 * p2 + k3 - forward * rho)
        change = (k1 * p1 + k2 * p2 + k3) * stretch * stretch
        uncertainty = UNCERTAINTY * rho * stretch
        var = var_p[np.uint32((y0 + near_y) * columns + x0 + near_x)] * change * change
        seen = unknown[x] & NOT_SEEN_BEFORE == 0
        predicted[x] = rho * stretch if seen else NOTHING
        spread[x] = var + uncertainty * uncertainty if seen else NOTHING


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
