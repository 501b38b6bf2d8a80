"""The epipolar constraint between two views: residuals, and the normal equations of one joint step.

Notation: a = K^-1 [x, 1] in the reference, b = K^-1 [x + u, 1] in the target, q = R a, and
Z_t b = R Z_r a + T with |T| = 1. The epipolar line of the point in the target is l = T x q, and b should
lie on it: l.b = T.(q x b) = 0. S is the covariance of b, so the residual r = l.b / sqrt(l' S l) is the
distance of b from its line in units of its own standard deviation (Hartley & Zisserman 2004, Multiple View
Geometry, 11.4; weighted as Kanatani 2005).
"""

from math import sqrt

import numpy as np

from streamflow.geometry.camera import calibrated
from streamflow.kernels.jit import kernel
from streamflow.kernels.vec3 import cross, mapped
from streamflow.values import Matrix

NEAREST = 8.0  # pixels: a point nearer to the epipole says nothing of its direction and wrecks the covariance
TUNING = 3.0  # Geman-McClure: weight 1/4 at TUNING standard deviations


def calibrate(positions: Matrix, vectors: Matrix, covariance: Matrix, K: Matrix) -> Matrix:
    """Image points as matches of two views: rows a1, a2, b1, b2, S11, S12, S22 of an array (7, N)."""
    c11, c12, c22 = covariance[:, 0, 0], covariance[:, 0, 1], covariance[:, 1, 1]
    L = np.linalg.inv(K)[:2]
    return np.vstack(
        [
            calibrated(positions, K),
            calibrated(positions + vectors, K),
            L[0, 0] ** 2 * c11 + 2 * L[0, 0] * L[0, 1] * c12 + L[0, 1] ** 2 * c22,
            L[1, 1] * (L[0, 0] * c12 + L[0, 1] * c22),
            L[1, 1] ** 2 * c22,
        ]
    )


@kernel(fastmath=True)
def residuals(matches, R, T):
    """Whitened signed distances (N,) of the target points from their epipolar lines."""
    r = np.empty(matches.shape[1])
    for i in range(matches.shape[1]):
        q1, q2, q3 = mapped(R, matches[0, i], matches[1, i])
        l1, l2, l3 = cross(T[0], T[1], T[2], q1, q2, q3)
        variance = matches[4, i] * l1 * l1 + 2 * matches[5, i] * l1 * l2 + matches[6, i] * l2 * l2
        r[i] = (l1 * matches[2, i] + l2 * matches[3, i] + l3) / sqrt(variance + 1e-30)
    return r


@kernel(fastmath=True)
def inverse_depth(matches, R, T):
    """Inverse depth in the reference (1/steps, signed) and its variance, each (N,).

    b (q3 + rho T3) = (q1 + rho T1, q2 + rho T2) is linear in rho: weighted least squares with S^-1.
    """
    rho, variance = np.empty(matches.shape[1]), np.empty(matches.shape[1])
    for i in range(matches.shape[1]):
        q1, q2, q3 = mapped(R, matches[0, i], matches[1, i])
        b1, b2, s11, s12, s22 = matches[2, i], matches[3, i], matches[4, i], matches[5, i], matches[6, i]
        d1, d2 = T[0] - b1 * T[2], T[1] - b2 * T[2]
        m1, m2 = b1 * q3 - q1, b2 * q3 - q2
        determinant = s11 * s22 - s12 * s12
        dWd = (d1 * d1 * s22 - 2 * d1 * d2 * s12 + d2 * d2 * s11) / determinant + 1e-30
        dWm = (d1 * m1 * s22 - (d1 * m2 + d2 * m1) * s12 + d2 * m2 * s11) / determinant
        rho[i] = dWm / dWd
        z = q3 + rho[i] * T[2]
        variance[i] = z * z / dWd
    return rho, variance


@kernel(fastmath=True)
def constraint_derivative(T, B, q1, q2, q3, x, y):
    """Derivative of T.(q x b), b = [x, y, 1], by (tau, omega): five numbers."""
    c1, c2, c3 = cross(q1, q2, q3, x, y, 1.0)
    tq, qb = T[0] * q1 + T[1] * q2 + T[2] * q3, q1 * x + q2 * y + q3
    return (
        B[0, 0] * c1 + B[1, 0] * c2 + B[2, 0] * c3,
        B[0, 1] * c1 + B[1, 1] * c2 + B[2, 1] * c3,
        x * tq - T[0] * qb,
        y * tq - T[1] * qb,
        tq - T[2] * qb,
    )


@kernel("void(f8[:,::1], i8, i8, f8[:,::1], f8[::1], f8[:,::1], f8, f8, f8, f8[:,::1])", fastmath=True)
def linearise(matches, first, last, R, T, B, scale, nearest, farthest, A):
    """Normal equations of a joint step, T <- T + B tau, R <- exp(omega) R, from the points first <= i < last.

    Written to A (6, 6): the lower half of J'WJ, and the negative gradient of the cost in the last row.

    With h = S l the full derivative of r is that of the bare numerator l.b taken at the corrected point
    b^ = b - (l.b / l'Sl) h, the point of the line nearest to b. The gradient uses b^, the Hessian b
    (Fisher scoring): with b in the gradient the estimate is biased, with b^ in the Hessian it is
    singular near the epipole.

    Weights are Geman-McClure, and zero where a point cannot say anything of the translation: nearer to
    the epipole than `nearest`, or with more parallax than `farthest`, which no rigid scene in front of
    the camera gives.
    """
    t1, t2, t3 = T[0], T[1], T[2]
    a11, a21, a22, a31, a32, a33, a41, a42 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    a43, a44, a51, a52, a53, a54, a55 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    g1, g2, g3, g4, g5 = 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(first, last):
        b1, b2 = matches[2, i], matches[3, i]
        q1, q2, q3 = mapped(R, matches[0, i], matches[1, i])
        l1, l2, l3 = cross(t1, t2, t3, q1, q2, q3)
        h1, h2 = matches[4, i] * l1 + matches[5, i] * l2, matches[5, i] * l1 + matches[6, i] * l2
        precision = 1.0 / (l1 * h1 + l2 * h2 + 1e-30)
        bare = l1 * b1 + l2 * b2 + l3
        shift = bare * precision
        m1, m2 = b1 * q3 - q1, b2 * q3 - q2
        reach2, moved2 = l1 * l1 + l2 * l2, m1 * m1 + m2 * m2
        inside = reach2 > nearest * nearest and moved2 < farthest * farthest * reach2
        root = 1.0 / (1.0 + bare * shift / (scale * scale)) if inside else 0.0
        j1, j2, j3, j4, j5 = constraint_derivative(T, B, q1, q2, q3, b1, b2)
        k1, k2, k3, k4, k5 = constraint_derivative(T, B, q1, q2, q3, b1 - shift * h1, b2 - shift * h2)
        w = root * root * precision
        a11, a21, a22 = a11 + w * j1 * j1, a21 + w * j2 * j1, a22 + w * j2 * j2
        a31, a32, a33 = a31 + w * j3 * j1, a32 + w * j3 * j2, a33 + w * j3 * j3
        a41, a42, a43, a44 = a41 + w * j4 * j1, a42 + w * j4 * j2, a43 + w * j4 * j3, a44 + w * j4 * j4
        a51, a52, a53 = a51 + w * j5 * j1, a52 + w * j5 * j2, a53 + w * j5 * j3
        a54, a55 = a54 + w * j5 * j4, a55 + w * j5 * j5
        v = w * bare
        g1, g2, g3, g4, g5 = g1 - v * k1, g2 - v * k2, g3 - v * k3, g4 - v * k4, g5 - v * k5
    A[0, 0], A[1, 0], A[1, 1], A[2, 0], A[2, 1], A[2, 2] = a11, a21, a22, a31, a32, a33
    A[3, 0], A[3, 1], A[3, 2], A[3, 3] = a41, a42, a43, a44
    A[4, 0], A[4, 1], A[4, 2], A[4, 3], A[4, 4] = a51, a52, a53, a54, a55
    A[5, 0], A[5, 1], A[5, 2], A[5, 3], A[5, 4] = g1, g2, g3, g4, g5
