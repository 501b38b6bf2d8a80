"""Where a plane's flow is better than the flow estimated window by window."""

import cv2
import numpy as np
from numpy.typing import NDArray

from streamflow.compiler import kernel
from streamflow.flow.gradients import pack_neighbours
from streamflow.flow.plane_search import Plane, planar_flow
from streamflow.flow.pyramid import Level

Flow = NDArray[np.float32]
Map = NDArray[np.float32]

# Windows of means, pixels
_NEAR = (41, 41)
_FAR = (31, 31)  # on a map four times smaller
_FAR_WEIGHT = 0.02
_PATCH = (9, 9)
# A vector counts no more than this against a plane: squared, in units of _SPREAD sigma; grey levels
_SPREAD = 1.5
_MOST_SQUARED = 9.0
_MOST_GREY = 15.0
# See `take_if_cheaper`
_GREY_COST = 1.2
_DEAREST = 1.65


@kernel("void(uint32[:,::1], float32[:,:,::1], float32[:,::1])", fastmath=True)
def look_up(neighbours, flow, out):
    """Write the image at x + u, bilinear, from its packed neighbours; -1 where that lies outside."""
    height, width = neighbours.shape
    right, bottom = np.float32(width - 1), np.float32(height - 1)
    zero, one = np.float32(0), np.float32(1)
    pixels = neighbours.reshape(-1)
    place, inside = np.empty((2, width), np.float32), np.empty(width, np.float32)
    packed = np.empty(width, np.uint32)
    for y in range(height):
        for x in range(width):
            moved_x, moved_y = np.float32(x) + flow[0, y, x], np.float32(y) + flow[1, y, x]
            place[0, x], place[1, x] = min(max(moved_x, zero), right), min(max(moved_y, zero), bottom)
            inside[x] = one if (moved_x == place[0, x]) & (moved_y == place[1, x]) else zero
        for x in range(width):
            packed[x] = pixels[np.uint32(np.int32(place[1, x]) * np.int32(width) + np.int32(place[0, x]))]
        for x in range(width):
            across = place[0, x] - np.float32(np.int32(place[0, x]))
            down = place[1, x] - np.float32(np.int32(place[1, x]))
            a = np.float32(np.int32(packed[x] & np.uint32(255)))
            b = np.float32(np.int32(packed[x] >> np.uint32(8) & np.uint32(255)))
            c = np.float32(np.int32(packed[x] >> np.uint32(16) & np.uint32(255)))
            d = np.float32(np.int32(packed[x] >> np.uint32(24)))
            upper, lower = a + across * (b - a), c + across * (d - c)
            out[y, x] = inside[x] * (upper + down * (lower - upper) + one) - one


@kernel(
    "void(float32[:,:,::1], float32[:,:,::1], float32[:,::1], float32[:,::1], float32[:,::1], uint8[:,::1],"
    " float32, float32, float32[:,::1], float32[:,::1])",
    fastmath=True,
)
def compare(plane_flow, flow, precision, seen, own_seen, grey, gain, offset, squared, worse):
    """Write the squared distance of two flows in units of sigma, and how much worse the plane's grey fits.

    Parameters
    ----------
    plane_flow, flow : ndarray, shape (2, H, W)
    precision : ndarray, shape (H, W)
        1 / sigma^2; 0 where the flow leaves the image.
    seen, own_seen : ndarray, shape (H, W)
        What the target shows where the plane's flow, and the flow, lead; -1 outside.
    grey : ndarray, shape (H, W), uint8
        Reference; in the target's brightness it is `gain` times itself plus `offset`.
    squared, worse : ndarray, shape (H, W)
        Output, both limited; worse in grey levels of the reference, 0 where one of the two leads outside.
    """
    height, width = grey.shape
    limit, most = np.float32(_MOST_SQUARED), np.float32(_MOST_GREY) * gain
    share, zero = np.float32(1) / gain, np.float32(0)
    for y in range(height):
        for x in range(width):
            du, dv = plane_flow[0, y, x] - flow[0, y, x], plane_flow[1, y, x] - flow[1, y, x]
            squared[y, x] = min((du * du + dv * dv) * precision[y, x], limit)
        for x in range(width):
            expected = gain * np.float32(grey[y, x]) + offset
            its, own = min(abs(seen[y, x] - expected), most), min(abs(own_seen[y, x] - expected), most)
            both = (seen[y, x] >= zero) & (own_seen[y, x] >= zero)
            worse[y, x] = (its - own) * share if both else zero


@kernel(
    "void(float32[:,::1], float32[:,::1], float32[:,::1], float32[:,:,::1], float32[:,::1],"
    " float32[:,:,::1])",
    fastmath=True,
)
def take_if_cheaper(distance, support, worse, plane_flow, cost, out):
    """Write the plane's flow, and its cost, wherever that is less than the `cost` that stands there.

    A cost is (mean squared distance + 0.1) times about exp(1.2 worse).
    """
    height, width = cost.shape
    one, zero, half = np.float32(1), np.float32(0), np.float32(0.5 * _GREY_COST)
    least, its = np.float32(0.1), np.empty(width, np.float32)
    for y in range(height):
        for x in range(width):
            more = (one + half * max(worse[y, x], zero)) / (one + half * max(-worse[y, x], zero))
            its[x] = (distance[y, x] / support[y, x] + least) * more * more
        for k in range(2):
            for x in range(width):
                out[k, y, x] = plane_flow[k, y, x] if its[x] < cost[y, x] else out[k, y, x]
        for x in range(width):
            cost[y, x] = min(cost[y, x], its[x])


class PlaneChoice:
    """The choice for flows of one size, with its buffers."""

    def __init__(self, height: int, width: int) -> None:
        self._flow, self._result = np.empty((2, 2, height, width), np.float32)
        self._seen, self._own, self._squared, self._worse, self._cost = np.empty(
            (5, height, width), np.float32
        )
        self._neighbours = np.empty((height, width), np.uint32)

    def __call__(self, planes: list[Plane], reference: Level, target: Level, flow: Flow, sigma: Map) -> None:
        """Replace flow (2, H, W), in place, by a plane's wherever the best of them is believed more.

        A plane is believed where the confident vectors around obey it (distance in units of sigma) and where
        it explains the grey values as well.
        """
        pack_neighbours(target.grey, self._neighbours)
        look_up(self._neighbours, flow, self._own)
        stays = (self._own >= 0).astype(np.float32)
        gain, offset = _brightness(reference.grey, self._own, sigma)
        support, precision = _around(stays) + np.float32(1e-6), stays / np.square(_SPREAD * sigma)
        self._cost[:] = _DEAREST
        self._result[:] = flow
        for plane in planes:
            planar_flow(plane, self._flow)
            look_up(self._neighbours, self._flow, self._seen)
            compare(
                self._flow, flow, precision, self._seen, self._own, reference.grey, gain, offset,
                self._squared, self._worse,
            )  # fmt: skip
            worse = cv2.blur(self._worse, _PATCH)
            take_if_cheaper(_around(self._squared), support, worse, self._flow, self._cost, self._result)
        flow[:] = self._result


def _around(values: Map) -> Map:
    """Return the mean around each pixel, with little weight that of a wide window, for where one is empty."""
    height, width = values.shape
    small = cv2.resize(values, (-(-width // 4), -(-height // 4)), interpolation=cv2.INTER_AREA)
    far = cv2.resize(cv2.blur(small, _FAR), (width, height))
    return np.asarray(cv2.addWeighted(cv2.blur(values, _NEAR), 1, far, _FAR_WEIGHT, 0), np.float32)


def _brightness(grey: NDArray[np.uint8], seen: Map, sigma: Map) -> tuple[float, float]:
    """Return the gain and offset that make the reference as bright and as rich in contrast as the target."""
    sure = ((seen >= 0) & (sigma <= np.median(sigma[::4, ::4]))).view(np.uint8)
    (here, contrast), (there, other_contrast) = (
        cv2.meanStdDev(grey, mask=sure),
        cv2.meanStdDev(seen, mask=sure),
    )
    gain = float(np.clip(other_contrast[0, 0] / max(contrast[0, 0], 1), 0.3, 3))
    return gain, float(there[0, 0] - gain * here[0, 0])
