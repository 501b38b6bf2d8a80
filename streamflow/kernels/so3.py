"""Rotations and directions inside kernels."""

from math import cos, sin, sqrt

from streamflow.geometry import rotation
from streamflow.kernels.jit import kernel
from streamflow.kernels.vec3 import cross

tangent_basis = kernel()(rotation.tangent_basis)


@kernel()
def turn(R, w1, w2, w3):
    """R <- exp(w) R, in place: a matrix (3, 3) turned by a rotation vector w in radians (Rodrigues)."""
    angle2 = w1 * w1 + w2 * w2 + w3 * w3
    angle = sqrt(angle2)
    near = angle < 1e-4  # there the series is exact to the last bit
    sine = 1.0 - angle2 / 6.0 if near else sin(angle) / angle
    versine = 0.5 - angle2 / 24.0 if near else (1.0 - cos(angle)) / angle2
    for k in range(3):  # a column v becomes v + sine w x v + versine w x (w x v)
        c1, c2, c3 = cross(w1, w2, w3, R[0, k], R[1, k], R[2, k])
        d1, d2, d3 = cross(w1, w2, w3, c1, c2, c3)
        R[0, k] += sine * c1 + versine * d1
        R[1, k] += sine * c2 + versine * d2
        R[2, k] += sine * c3 + versine * d3
