"""Motions without parallax: b ~ H a with H the identity (still), a rotation, or any homography (a plane)."""

import numpy as np

from streamflow.compiler import kernel
from streamflow.motion.cholesky import solve_positive
from streamflow.motion.sphere import rotation_exp

DAMPING = 1e-12  # of the trace: keeps normal equations solvable where too few points have weight


@kernel(fastmath=True)
def normal_equations(rays, H, scale):
    """Robust normal equations of the transfer error b - H a in the nine entries of H: (9, 9), (9,)."""
    n = rays.shape[1]
    rows, error = np.empty((9, 2 * n)), np.empty(2 * n)
    for i in range(n):
        a1, a2 = rays[0, i], rays[1, i]
        q1 = H[0, 0] * a1 + H[0, 1] * a2 + H[0, 2]
        q2 = H[1, 0] * a1 + H[1, 1] * a2 + H[1, 2]
        q3 = H[2, 0] * a1 + H[2, 1] * a2 + H[2, 2]
        e1, e2 = rays[2, i] - q1 / q3, rays[3, i] - q2 / q3
        # whitening by the Cholesky factor of the covariance, S = L L'
        L11 = np.sqrt(rays[4, i])
        L21 = rays[5, i] / L11
        L22 = np.sqrt(rays[6, i] - L21 * L21)
        e1 = e1 / L11
        e2 = (e2 - L21 * e1) / L22
        root = 1.0 / (1.0 + (e1 * e1 + e2 * e2) / (scale * scale))
        error[i], error[n + i] = root * e1, root * e2
        x1, x2 = root / (q3 * L11), 0.0
        y1, y2 = -L21 * x1 / L22, root / (q3 * L22)
        z1, z2 = -x1 * q1 / q3, -(y1 * q1 + y2 * q2) / q3
        rows[0, i], rows[1, i], rows[2, i] = x1 * a1, x1 * a2, x1
        rows[3, i], rows[4, i], rows[5, i] = x2, x2, x2
        rows[6, i], rows[7, i], rows[8, i] = z1 * a1, z1 * a2, z1
        rows[0, n + i], rows[1, n + i], rows[2, n + i] = y1 * a1, y1 * a2, y1
        rows[3, n + i], rows[4, n + i], rows[5, n + i] = y2 * a1, y2 * a2, y2
        rows[6, n + i], rows[7, n + i], rows[8, n + i] = z2 * a1, z2 * a2, z2
    return rows @ rows.T, rows @ error


@kernel()
def fit_rotation(rays, R, scales):
    """Robust rotation (3, 3) nearest to the flow, from the start R, one step per annealed scale."""
    turn = np.zeros((9, 3))
    for scale in scales:
        A, g = normal_equations(rays, R, scale)
        # derivative of exp(omega) R at omega = 0
        for k in range(3):
            turn[k, 1], turn[k, 2] = R[2, k], -R[1, k]
            turn[3 + k, 0], turn[3 + k, 2] = -R[2, k], R[0, k]
            turn[6 + k, 0], turn[6 + k, 1] = R[1, k], -R[0, k]
        N = turn.T @ (A @ turn)
        omega = solve_positive(N + (DAMPING * np.trace(N) + DAMPING) * np.eye(3), turn.T @ g)
        R = rotation_exp(omega * min(1.0, 0.2 / (np.abs(omega).max() + 1e-12))) @ R
    return R


@kernel()
def fit_homography(rays, H, scales):
    """Robust homography (3, 3), unit Frobenius norm, from the start H, one step per annealed scale."""
    for scale in scales:
        h = H.copy().reshape(9) / np.sqrt((H * H).sum())
        A, g = normal_equations(rays, h.reshape(3, 3), scale)
        gauge = np.trace(A) * (h.reshape(9, 1) * h + DAMPING * np.eye(9))  # the scale of H is free
        H = (h + solve_positive(A + gauge + DAMPING * np.eye(9), g)).reshape(3, 3)
    return H / np.sqrt((H * H).sum())


@kernel(fastmath=True)
def transfer_errors(rays, H, inexact=0.0):
    """Whitened squared distances (N,) between target points and where H takes the reference points.

    H may be wrong by the share `inexact` of the motion it makes: that is added to the standard deviation.
    """
    squared = np.empty(rays.shape[1])
    for i in range(rays.shape[1]):
        a1, a2 = rays[0, i], rays[1, i]
        q3 = H[2, 0] * a1 + H[2, 1] * a2 + H[2, 2]
        p1 = (H[0, 0] * a1 + H[0, 1] * a2 + H[0, 2]) / q3
        p2 = (H[1, 0] * a1 + H[1, 1] * a2 + H[1, 2]) / q3
        e1, e2 = rays[2, i] - p1, rays[3, i] - p2
        doubt = inexact * inexact * ((p1 - a1) ** 2 + (p2 - a2) ** 2)
        s11, s12, s22 = rays[4, i] + doubt, rays[5, i], rays[6, i] + doubt
        squared[i] = (s22 * e1 * e1 - 2 * s12 * e1 * e2 + s11 * e2 * e2) / (s11 * s22 - s12 * s12)
    return squared
