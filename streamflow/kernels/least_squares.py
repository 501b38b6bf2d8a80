"""A step of least squares inside kernels: products of rows, and the solution of the small system they make.

Plain loops: numba takes seconds to compile its calls of BLAS and LAPACK, and next to nothing for these.
"""

from math import sqrt

from streamflow.kernels.jit import kernel

DAMPING = 1e-12  # of the trace, and at least: keeps a system solvable where too few points have weight
LONGEST_STEP = 0.2  # radians, or of a homography: farther a linear step cannot be believed


@kernel(fastmath=True)
def products(rows, A):
    """Write to the lower half of A (n, n) the products of the rows (n, N) with one another."""
    for j in range(A.shape[0]):
        for k in range(j + 1):
            total = 0.0
            for i in range(rows.shape[1]):
                total += rows[j, i] * rows[k, i]
            A[j, k] = total


@kernel()
def solve(A, n):
    """Solve A[:n, :n] x = A[-1, :n] and write x there; of the symmetric A the lower half counts.

    Cholesky's factor takes the place of A; done on its last row too, that is the forward substitution.
    """
    last, damping = A.shape[0] - 1, DAMPING
    for i in range(n):
        damping += DAMPING * A[i, i]
    for row in range(n + 1):
        i = row if row < n else last
        for j in range(min(row + 1, n)):
            for k in range(j):
                A[i, j] -= A[i, k] * A[j, k]
            A[i, j] = A[i, j] / A[j, j] if j < row else sqrt(abs(A[i, i]) + damping)
    for i in range(n - 1, -1, -1):
        for k in range(i + 1, n):
            A[last, i] -= A[k, i] * A[last, k]
        A[last, i] /= A[i, i]


@kernel()
def solve_step(A, n):
    """Do `solve`, but make no entry of x longer than `LONGEST_STEP`; return the longest before."""
    solve(A, n)
    last, longest = A.shape[0] - 1, 0.0
    for i in range(n):
        longest = max(longest, abs(A[last, i]))
    for i in range(n):
        A[last, i] *= LONGEST_STEP / max(longest, LONGEST_STEP)
    return longest
