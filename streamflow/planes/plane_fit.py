"""Planes rho = n . a fitted to points, both sides divided by the standard deviation of rho."""

import numpy as np
from numpy.typing import NDArray

from streamflow.kernels.jit import kernel

Array = NDArray[np.float64]


def refined(n: Array, rays: Array, rho: Array, gate: float, rounds: int) -> Array:
    """Plane (3,) after some rounds of reweighted least squares, Geman-McClure weights of scale `gate`."""
    for _ in range(rounds):
        xx, xy, xz, yy, yz, zz, *b = _normal_equations(n, rays, rho, gate)
        A = np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
        n = np.linalg.solve(A + 1e-9 * np.eye(3), b)
    return n


@kernel()
def _normal_equations(n, rays, rho, gate):
    xx = xy = xz = yy = yz = zz = xr = yr = zr = 0.0
    for i in range(len(rho)):
        x, y, z = rays[i, 0], rays[i, 1], rays[i, 2]
        residual = (n[0] * x + n[1] * y + n[2] * z - rho[i]) / gate
        fitting = 1 / (1 + residual * residual)
        weight = fitting * fitting
        xx += weight * x * x
        xy += weight * x * y
        xz += weight * x * z
        yy += weight * y * y
        yz += weight * y * z
        zz += weight * z * z
        xr += weight * x * rho[i]
        yr += weight * y * rho[i]
        zr += weight * z * rho[i]
    return xx, xy, xz, yy, yz, zz, xr, yr, zr


@kernel()
def truncated_residuals(planes, rays, rho, gate):
    """Squared residuals (P, N), float32, at most gate^2."""
    cost = np.empty((len(planes), len(rho)), np.float32)
    for p in range(len(planes)):
        n1, n2, n3 = planes[p, 0], planes[p, 1], planes[p, 2]
        for i in range(len(rho)):
            residual = n1 * rays[i, 0] + n2 * rays[i, 1] + n3 * rays[i, 2] - rho[i]
            cost[p, i] = min(residual * residual, gate * gate)
    return cost
