"""How probable the matches are under a motion, whatever the depth: what competing motions are judged by.

Every match is measured in its own standard deviations: r across its epipolar line, z along it from where a
point at infinity would be, so that r^2 + z^2 is the squared transfer error of the rotation alone. A motion is
a mixture whose shares, noise scale and depths are its own (expectation maximisation, Dempster, Laird & Rubin
1977):

- scene: N(r; k^2), with the inverse depth integrated out over a normal prior about a plane n.a, cut at
  infinity (Torr & Zisserman 2000, MLESAC, for the mixture; MacKay 1992, Bayesian interpolation, for the
  evidence): a point too far to tell one motion from another weighs nothing;
- what moves by itself along its own line, as all that goes the camera's way does: N(r; k^2), any z;
- anything else: uniform.
"""

from math import erfc, exp, log, pi, sqrt
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from streamflow.geometry.pose import Pose
from streamflow.kernels.jit import kernel
from streamflow.kernels.least_squares import solve
from streamflow.kernels.robust import median_of, robust_scale
from streamflow.kernels.vec3 import cross, mapped
from streamflow.values import Matrix

Order = npt.NDArray[np.int64]

OUTLIER_REACH = 15.0  # pixels: how far off, to either side, a match that means nothing may be
MIN_NOISE, MAX_NOISE = 0.15, 10.0  # of the predicted error: still images have hardly any
MIN_DEPTH_SPREAD = 1e-5  # 1/steps
STEPS = 5  # of expectation maximisation
INDEPENDENT = 10.0  # measurements a pair: errors of dense flow are alike over much of the image
PRIOR_COUNT = 0.01  # of the points: no share becomes zero
NORMAL_QUARTILE = 0.6745  # median of |x|, x a unit normal
ROOT_TAU = sqrt(2.0 * pi)


class SceneFit(NamedTuple):
    """A motion's mixture, fitted."""

    evidence: float  # mean log likelihood, nats a match
    noise: float  # k, of the predicted error
    parameters: Matrix  # (8,) k, spread of the inverse depth, three shares, plane n


def outlier_density(matches: Matrix, focal: float) -> Matrix:
    """Density (N,) of a match that means nothing, in units of its own error."""
    determinant = matches[4] * matches[6] - matches[5] ** 2
    return np.asarray(np.sqrt(determinant) / (2.0 * OUTLIER_REACH / focal) ** 2)


def fit_mapping(squared: Matrix, log_ratio: Matrix, outlier: Matrix, some: Order) -> tuple[float, float]:
    """Evidence (nats a match) and noise scale of a motion that says where every point goes.

    Parameters
    ----------
    squared : (N,) transfer errors over their variance
    log_ratio : (N,) logarithm of how much that variance exceeds the match's own, as standard deviations of
        both components
    outlier : (N,) from `outlier_density`
    some : indices of the matches from which noise scale and share of outliers are fitted
    """
    typical = sqrt(median_of(squared) / (2.0 * log(2.0)))
    parameters = np.array([min(max(typical, MIN_NOISE), MAX_NOISE), 0.3])
    maximise_mapping(squared[some], log_ratio[some], outlier[some], parameters, STEPS)
    evidence = maximise_mapping(squared, log_ratio, outlier, parameters, 0)
    return float(evidence), float(parameters[0])


def fit_scene(
    matches: Matrix, pose: Pose, outlier: Matrix, focal: float, *, about_plane: bool, steps: int = STEPS
) -> SceneFit:
    """Fit the mixture of a motion with parallax.

    The inverse depths lie about a plane, or without `about_plane` about infinity: then the prior says nothing
    but how near the scene is.
    """
    lines = along_lines(matches, *pose)
    rho = lines[1] / lines[2]
    spread = median_of(np.abs(rho)) / NORMAL_QUARTILE
    noise = min(max(robust_scale(lines[0]), MIN_NOISE), MAX_NOISE)
    parameters = np.array([noise, spread + MIN_DEPTH_SPREAD, 0.6, 0.2, 0.2, 0.0, 0.0, 0.0])
    if about_plane:
        parameters[7] = max(median_of(rho), 0.0)
    return judge_scene(lines, matches, outlier, focal, parameters, about_plane=about_plane, steps=steps)


def judge_scene(
    lines: Matrix,
    matches: Matrix,
    outlier: Matrix,
    focal: float,
    parameters: Matrix,
    *,
    about_plane: bool,
    steps: int,
) -> SceneFit:
    """Improve `parameters` (8,) by so many steps; zero steps: judge as they are."""
    found = parameters.copy()
    reach = 2.0 * OUTLIER_REACH / focal
    evidence = maximise_scene(lines, matches, outlier, reach, found, steps, about_plane)
    return SceneFit(float(evidence), float(found[0]), found)


@kernel(fastmath=True)
def along_lines(matches, R, T):
    """Rows (4, N): r across and z along the epipolar line, z of one of inverse depth, and of one of length.

    All but the last in standard deviations of the match; the last times a length on the image plane gives z.
    """
    lines = np.empty((4, matches.shape[1]))
    for i in range(matches.shape[1]):
        q1, q2, q3 = mapped(R, matches[0, i], matches[1, i])
        b1, b2, s11, s12, s22 = matches[2, i], matches[3, i], matches[4, i], matches[5, i], matches[6, i]
        l1, l2, l3 = cross(T[0], T[1], T[2], q1, q2, q3)
        d1, d2 = T[0] - b1 * T[2], T[1] - b2 * T[2]
        m1, m2 = b1 * q3 - q1, b2 * q3 - q2
        determinant = s11 * s22 - s12 * s12
        dWd = (d1 * d1 * s22 - 2 * d1 * d2 * s12 + d2 * d2 * s11) / determinant + 1e-30
        dWm = (d1 * m1 * s22 - (d1 * m2 + d2 * m1) * s12 + d2 * m2 * s11) / determinant
        lines[0, i] = (l1 * b1 + l2 * b2 + l3) / sqrt(
            s11 * l1 * l1 + 2 * s12 * l1 * l2 + s22 * l2 * l2 + 1e-30
        )
        lines[1, i] = dWm / (sqrt(dWd) * q3)
        lines[2, i] = sqrt(dWd) / q3
        lines[3, i] = sqrt(dWd / (d1 * d1 + d2 * d2 + 1e-30))
    return lines


@kernel(fastmath=True)
def maximise_mapping(squared, log_ratio, outlier, parameters, steps):
    """Expectation maximisation of noise scale and share of outliers, in place; the mean log likelihood."""
    n = squared.size
    for step in range(steps + 1):
        k, outliers = parameters[0], parameters[1]
        inliers, squares, total = 0.0, 0.0, 0.0
        for i in range(n):
            fits = (1.0 - outliers) * exp(-0.5 * squared[i] / (k * k) - log_ratio[i]) / (2.0 * pi * k * k)
            density = fits + outliers * outlier[i] + 1e-300
            if step == steps:
                total += log(density)
                continue
            inliers += fits / density
            squares += fits / density * squared[i]
        if step < steps:
            parameters[0] = min(max(sqrt(squares / (2.0 * inliers + 1e-9)), MIN_NOISE), MAX_NOISE)
            parameters[1] = (n - inliers + PRIOR_COUNT * n) / (n + 2.0 * PRIOR_COUNT * n)
    return total / n


@kernel(fastmath=True)
def maximise_scene(lines, matches, outlier, reach, parameters, steps, about_plane):
    """The same for a scene: noise scale, depth prior and shares, in place; the mean log likelihood.

    The inverse depth given a match is a normal cut at infinity; its first two moments are those of the
    M-step (Barr & Sherrill 1999, Mean and variance of truncated normal distributions).
    """
    count = lines.shape[1]
    A = np.empty((4, 4))
    for step in range(steps + 1):
        k, spread = parameters[0], parameters[1]
        n1, n2, n3 = parameters[5], parameters[6], parameters[7]
        scene, loose, noises, squares, depths, total = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        A[:] = 0.0
        for i in range(count):
            r, z, v = lines[0, i], lines[1, i], lines[2, i]
            a1, a2 = matches[0, i], matches[1, i]
            mean = max(n1 * a1 + n2 * a2 + n3, 0.0)
            s = spread * v
            t = k * k + s * s
            centre, deviation = (z * s * s + mean * v * k * k) / t, s * k / sqrt(t)
            ahead = 0.5 * erfc(-centre / (deviation * sqrt(2.0)))
            prior_ahead = 0.5 * erfc(-mean / (spread * sqrt(2.0))) if mean > 0.0 else 0.5
            across = exp(-0.5 * r * r / (k * k)) / (k * ROOT_TAU)
            off = z - mean * v
            in_scene = (
                parameters[2]
                * across
                * exp(-0.5 * off * off / t)
                / (sqrt(t) * ROOT_TAU)
                * ahead
                / prior_ahead
            )
            by_itself = parameters[3] * across / (reach * lines[3, i])
            density = in_scene + by_itself + parameters[4] * outlier[i] + 1e-300
            if step == steps:
                total += log(density)
                continue
            share, other = in_scene / density, by_itself / density
            ratio = centre / deviation
            hazard = exp(-0.5 * ratio * ratio) / (ROOT_TAU * ahead) if ratio > -6.0 else -ratio
            first = centre + deviation * hazard
            second = centre * first + deviation * deviation
            rho = first / v
            scene += share
            loose += other
            depths += share * second / (v * v)
            squares += share * (r * r + z * z - 2.0 * z * first + second) + other * r * r
            noises += 2.0 * share + other
            A[0, 0] += share * a1 * a1
            A[1, 0] += share * a2 * a1
            A[1, 1] += share * a2 * a2
            A[2, 0] += share * a1
            A[2, 1] += share * a2
            A[2, 2] += share
            A[3, 0] += share * rho * a1
            A[3, 1] += share * rho * a2
            A[3, 2] += share * rho
        if step == steps:
            break
        if about_plane:
            b1, b2, b3 = A[3, 0], A[3, 1], A[3, 2]
            solve(A, 3)
            depths -= A[3, 0] * b1 + A[3, 1] * b2 + A[3, 2] * b3
            parameters[5], parameters[6], parameters[7] = A[3, 0], A[3, 1], A[3, 2]
        parameters[0] = min(max(sqrt(squares / (noises + 1e-9)), MIN_NOISE), MAX_NOISE)
        parameters[1] = sqrt(max(depths, 0.0) / (scene + 1e-9)) + MIN_DEPTH_SPREAD
        least = PRIOR_COUNT * count
        whole = count + 3.0 * least
        parameters[2], parameters[3] = (scene + least) / whole, (loose + least) / whole
        parameters[4] = (count - scene - loose + least) / whole
    return total / count
