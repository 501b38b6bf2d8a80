"""Small systems inside kernels: numba takes seconds to compile its call of LAPACK, and this none."""

import numpy as np

from streamflow.compiler import kernel

SMALLEST_PIVOT = 1e-300


@kernel()
def solve_positive(A, b):
    """Solution (n,) of A x = b, A (n, n) symmetric and positive, by its Cholesky factor."""
    n = b.size
    L, x = np.zeros((n, n)), b.copy()
    for i in range(n):
        for j in range(i + 1):
            rest = A[i, j]
            for k in range(j):
                rest -= L[i, k] * L[j, k]
            L[i, j] = rest / L[j, j] if j < i else np.sqrt(max(rest, SMALLEST_PIVOT))
    for i in range(n):
        for k in range(i):
            x[i] -= L[i, k] * x[k]
        x[i] /= L[i, i]
    for i in range(n - 1, -1, -1):
        for k in range(i + 1, n):
            x[i] -= L[k, i] * x[k]
        x[i] /= L[i, i]
    return x
