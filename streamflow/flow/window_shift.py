"""Window shift: at a motion boundary, the flow of the window beside that fits better.

First left or right, then above or below, 3 pixels away.

References
----------
D. Scharstein, R. Szeliski, A taxonomy and evaluation of dense two-frame stereo, IJCV 47, 2002, 3.2
(shiftable windows).
"""

from streamflow.kernels.jit import inline_kernel

OFFSET = 3
KEPT_ROWS = 2 * OFFSET + 1


@inline_kernel(noalias=True)
def _choose(u_1, v_1, ssd_1, u_2, v_2, ssd_2, u_0, v_0, ssd_0, penalty, out_u, out_v, out_ssd):
    """Write, for a row, the flow whose ssd is smallest; those of 1 and 2 count `penalty` times."""
    for x in range(len(out_u)):
        first_is_better = ssd_1[x] <= ssd_2[x]
        beside = penalty * min(ssd_1[x], ssd_2[x])
        stay = ssd_0[x] <= beside
        # All is read before anything is chosen: a branch would not become vector instructions.
        left_u, right_u, own_u = u_1[x], u_2[x], u_0[x]
        left_v, right_v, own_v = v_1[x], v_2[x], v_0[x]
        beside_u, beside_v = left_u if first_is_better else right_u, left_v if first_is_better else right_v
        out_u[x], out_v[x] = own_u if stay else beside_u, own_v if stay else beside_v
        out_ssd[x] = min(beside, ssd_0[x])


@inline_kernel()
def shift_across(padded, penalty, out):
    """Choose for a row (u, v, ssd) between each pixel, its left and its right neighbour.

    Parameters
    ----------
    padded : ndarray, shape (3, W + 6)
        Its margins are filled here: the border pixel repeated.
    penalty : float
        A neighbour's ssd counts this many times.
    out : ndarray, shape (3, W)
    """
    width = out.shape[1]
    for k in range(3):
        for x in range(OFFSET):
            padded[k, x], padded[k, OFFSET + width + x] = padded[k, OFFSET], padded[k, OFFSET + width - 1]
    u, v, ssd = padded[0], padded[1], padded[2]
    _choose(
        u, v, ssd, u[2 * OFFSET :], v[2 * OFFSET :], ssd[2 * OFFSET :],
        u[OFFSET:], v[OFFSET:], ssd[OFFSET:], penalty, out[0], out[1], out[2],
    )  # fmt: skip


@inline_kernel()
def shift_down(rows, y, height, penalty, out_u, out_v, out_ssd):
    """Choose for row y between each pixel and those above and below; rows (7, 3, W) keeps those around y."""
    above, below = rows[max(y - OFFSET, 0) % KEPT_ROWS], rows[min(y + OFFSET, height - 1) % KEPT_ROWS]
    here = rows[y % KEPT_ROWS]
    _choose(
        above[0], above[1], above[2], below[0], below[1], below[2], here[0], here[1], here[2],
        penalty, out_u, out_v, out_ssd,
    )  # fmt: skip
