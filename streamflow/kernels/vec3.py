"""Three-vectors inside kernels, as three numbers: what each would otherwise spell, and compile, anew."""

from streamflow.kernels.jit import kernel


@kernel(fastmath=True)
def mapped(M, x, y):
    """M [x, y, 1] of a matrix (3, 3)."""
    return (
        M[0, 0] * x + M[0, 1] * y + M[0, 2],
        M[1, 0] * x + M[1, 1] * y + M[1, 2],
        M[2, 0] * x + M[2, 1] * y + M[2, 2],
    )


@kernel(fastmath=True)
def cross(x1, x2, x3, y1, y2, y3):
    """Vector product x x y."""
    return x2 * y3 - x3 * y2, x3 * y1 - x1 * y3, x1 * y2 - x2 * y1
