"""The epipolar constraint between two views: residuals, and the normal equations of one joint step.

Notation: a = K^-1 [x, 1] in the reference, b = K^-1 [x + u, 1] in the target, q = R a, and
Z_t b = R Z_r a + T with |T| = 1. The epipolar line of the point in the target is l = T x q, and b should
lie on it: l.b = T.(q x b) = 0. S is the covariance of b, so the residual r = l.b / sqrt(l' S l) is the
distance of b from its line in units of its own standard deviation (Hartley & Zisserman 2004, Multiple View
Geometry, 11.4; weighted as Kanatani 2005).
"""

from math import sqrt

import numpy as np

from streamflow.compiler import kernel
from streamflow.motion.algebra import cross, mapped
from streamflow.values import Matrix

NEAREST = 8.0  # pixels: a point nearer to the epipole says nothing of its direction and wrecks the covariance
TUNING = 3.0  # Geman-McClure: weight 1/4 at TUNING standard deviations


def calibrate(positions: Matrix, vectors: Matrix, covariance: Matrix, K: Matrix) -> Matrix:
    """Image points as rays: rows a1, a2, b1, b2, S11, S12, S22 of an array (7, N)."""
    L = np.linalg.inv(K)[:2]
    c11, c12, c22 = covariance[:, 0, 0], covariance[:, 0, 1], covariance[:, 1, 1]
    a = L[:, :2] @ positions.T + L[:, 2:]
    return np.vstack(
        [
            a,
            a + L[:, :2] @ vectors.T,
            L[0, 0] ** 2 * c11 + 2 * L[0, 0] * L[0, 1] * c12 + L[0, 1] ** 2 * c22,
            L[1, 1] * (L[0, 0] * c12 + L[0, 1] * c22),
            L[1, 1] ** 2 * c22,
        ]
    )


@kernel(fastmath=True)
def residuals(rays, R, T):
    """Whitened signed distances (N,) of the target points from their epipolar lines."""
    r = np.empty(rays.shape[1])
    for i in range(rays.shape[1]):
        q1, q2, q3 = mapped(R, rays[0, i], rays[1, i])
        l1, l2, l3 = cross(T[0], T[1], T[2], q1, q2, q3)
        variance = rays[4, i] * l1 * l1 + 2 * rays[5, i] * l1 * l2 + rays[6, i] * l2 * l2
        r[i] = (l1 * rays[2, i] + l2 * rays[3, i] + l3) / sqrt(variance + 1e-30)
    return r


@kernel(fastmath=True)
def inverse_depth(rays, R, T):
    """Inverse depth in the reference (1/steps, signed) and its variance, each (N,).

    b (q3 + rho T3) = (q1 + rho T1, q2 + rho T2) is linear in rho: weighted least squares with S^-1.
    """
    rho, variance = np.empty(rays.shape[1]), np.empty(rays.shape[1])
    for i in range(rays.shape[1]):
        q1, q2, q3 = mapped(R, rays[0, i], rays[1, i])
        b1, b2, s11, s12, s22 = rays[2, i], rays[3, i], rays[4, i], rays[5, i], rays[6, i]
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
def linearise(rays, R, T, B, scale, nearest, farthest, rows):
    """Weighted rows of one joint step, written to `rows` (11, N): Jacobian (5), gradient (5), weight.

    With h = S l the full derivative of r is that of the bare numerator l.b taken at the corrected point
    b^ = b - (l.b / l'Sl) h, the point of the line nearest to b. The gradient uses b^, the Hessian b
    (Fisher scoring): with b in the gradient the estimate is biased, with b^ in the Hessian it is
    singular near the epipole.

    Weights are Geman-McClure, and zero where a point cannot say anything of the translation: nearer to
    the epipole than `nearest`, or with more parallax than `farthest`, which no rigid scene in front of
    the camera gives.
    """
    t1, t2, t3 = T[0], T[1], T[2]
    for i in range(rays.shape[1]):
        a1, a2, b1, b2 = rays[0, i], rays[1, i], rays[2, i], rays[3, i]
        q1, q2, q3 = mapped(R, a1, a2)
        l1, l2, l3 = cross(t1, t2, t3, q1, q2, q3)
        h1, h2 = rays[4, i] * l1 + rays[5, i] * l2, rays[5, i] * l1 + rays[6, i] * l2
        norm = 1.0 / sqrt(l1 * h1 + l2 * h2 + 1e-30)
        r = (l1 * b1 + l2 * b2 + l3) * norm
        reach2 = l1 * l1 + l2 * l2
        m1, m2 = b1 * q3 - q1, b2 * q3 - q2
        inside = reach2 > nearest * nearest and m1 * m1 + m2 * m2 < farthest * farthest * reach2
        root = 1.0 / (1.0 + r * r / (scale * scale)) if inside else 0.0
        rows[10, i] = root * root
        tq, shift = t1 * q1 + t2 * q2 + t3 * q3, r * norm
        for part in range(2):
            x, y = b1 - part * shift * h1, b2 - part * shift * h2
            factor = norm * root * (r * root if part == 1 else 1.0)
            c1, c2, c3 = cross(q1, q2, q3, x, y, 1.0)
            qb = q1 * x + q2 * y + q3
            rows[5 * part, i] = factor * (B[0, 0] * c1 + B[1, 0] * c2 + B[2, 0] * c3)
            rows[5 * part + 1, i] = factor * (B[0, 1] * c1 + B[1, 1] * c2 + B[2, 1] * c3)
            rows[5 * part + 2, i] = factor * (x * tq - t1 * qb)
            rows[5 * part + 3, i] = factor * (y * tq - t2 * qb)
            rows[5 * part + 4, i] = factor * (tq - t3 * qb)
