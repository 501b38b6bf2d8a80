"""Local normalisation: brightness and contrast taken out, so that a surface looks the same in both frames."""

import numpy as np

from streamflow.compiler import kernel

_REACH = 3
_COUNT = (2 * _REACH + 1) ** 2
CONTRAST_FLOOR = 3.0


@kernel("void(uint8[:,::1], uint8[:,::1])", fastmath=True)
def normalise(grey, out):
    """Write N = 128 + 20 (I - mean) / (std + 3) over 7x7 windows; border pixels are repeated outside.

    The sums are whole numbers below 2^24: exact in float32, however they are updated from row to row.

    Parameters
    ----------
    grey, out : ndarray, shape (H, W), uint8
    """
    height, width = grey.shape
    columns = np.zeros((2, width + 2 * _REACH), np.float32)
    sums = np.empty((2, width), np.float32)
    count, floor = np.float32(_COUNT), np.float32(_COUNT * CONTRAST_FLOOR)
    for y in range(-2 * _REACH, height):
        new, old = min(max(y + _REACH, 0), height - 1), max(y - _REACH - 1, 0)
        kept = np.float32(1) if y > 0 else np.float32(0)
        for x in range(width):
            columns[0, x + _REACH] += np.float32(grey[new, x]) - kept * np.float32(grey[old, x])
        for x in range(width):
            entering, leaving = np.float32(grey[new, x]), np.float32(grey[old, x])
            columns[1, x + _REACH] += entering * entering - kept * leaving * leaving
        if y < 0:
            continue
        for k in range(2):
            columns[k, :_REACH] = columns[k, _REACH]
            columns[k, width + _REACH :] = columns[k, width + _REACH - 1]
            for x in range(width):
                sums[k, x] = (
                    columns[k, x]
                    + columns[k, x + 1]
                    + columns[k, x + 2]
                    + columns[k, x + 3]
                    + columns[k, x + 4]
                    + columns[k, x + 5]
                    + columns[k, x + 6]
                )
        for x in range(width):
            spread = np.sqrt(max(count * sums[1, x] - sums[0, x] * sums[0, x], np.float32(0))) + floor
            value = np.float32(20) * (count * np.float32(grey[y, x]) - sums[0, x]) / spread
            out[y, x] = np.uint8(
                np.int32(min(max(value + np.float32(128.5), np.float32(0)), np.float32(255)))
            )
