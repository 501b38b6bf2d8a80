"""Planes rho = n . a fitted to points, both sides divided by the standard deviation of rho."""

import numpy as np
from numpy.typing import NDArray

from streamflow.compiler import kernel

Array = NDArray[np.float64]


def refined(n: Array, rays: Array, rho: Array, gate: float, rounds: int) -> Array:
    """Plane (3,) after some rounds of reweighted least squares, Geman-McClure weights of scale `gate`."""
    for _ in range(rounds):
        A, b = _normal_equations(n, rays, rho, gate)
        n = np.linalg.solve(A + 1e-9 * np.eye(3), b)
    return n


@kernel()
def _normal_equations(n, rays, rho, gate):
    A, b = np.zeros((3, 3)), np.zeros(3)
    for i in range(len(rho)):
        x, y, z = rays[i]
        residual = (n[0] * x + n[1] * y + n[2] * z - rho[i]) / gate
        weight = 1 / (1 + residual * residual) ** 2
        A[0, 0] += weight * x * x
        A[0, 1] += weight * x * y
        A[0, 2] += weight * x * z
        A[1, 1] += weight * y * y
        A[1, 2] += weight * y * z
        A[2, 2] += weight * z * z
        b[0] += weight * x * rho[i]
        b[1] += weight * y * rho[i]
        b[2] += weight * z * rho[i]
    A[1, 0], A[2, 0], A[2, 1] = A[0, 1], A[0, 2], A[1, 2]
    return A, b


@kernel()
def truncated_residuals(planes, rays, rho, gate):
    """Squared residuals (P, N), float32, at most gate^2."""
    cost = np.empty((len(planes), len(rho)), np.float32)
    for p in range(len(planes)):
        n1, n2, n3 = planes[p]
        for i in range(len(rho)):
            residual = n1 * rays[i, 0] + n2 * rays[i, 1] + n3 * rays[i, 2] - rho[i]
            cost[p, i] = min(residual * residual, gate * gate)
    return cost
