"""Where a plane's flow is better than the flow estimated window by window."""

import cv2
import numpy as np
from numpy.typing import NDArray

from streamflow.flow.gradients import interpolate
from streamflow.flow.plane_homography import Plane, planar_flow
from streamflow.flow.pyramid import Level
from streamflow.kernels.jit import kernel

Flow = NDArray[np.float32]
Map = NDArray[np.float32]

MIN_GAIN, MAX_GAIN = 0.3, 3.0
_FRACTION = 16.0  # differences in grey levels are kept in 16ths: the largest is 255 / 16, as if it were all
# The logarithm of a candidate's error: of the windows' mean differences in grey levels,
_PATCH, _PATCH_COST = (5, 5), 0.60
_SURROUNDINGS, _SURROUNDINGS_COST = (41, 41), 0.74
# and of a plane's support
_PLANE_COST, _SUPPORT_GAIN = -2.34, 0.46


@kernel("void(uint32[:,::1], float32[:,:,::1], float32[:,::1])", fastmath=True)
def warp(neighbours, flow, out):
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
            fx = place[0, x] - np.float32(np.int32(place[0, x]))
            fy = place[1, x] - np.float32(np.int32(place[1, x]))
            out[y, x] = inside[x] * (interpolate(packed[x], fx, fy) + one) - one


@kernel("UniTuple(float32, 2)(uint8[:,::1], float32[:,::1], float32[:,::1])", fastmath=True)
def brightness(grey, warped, sigma):
    """Return the gain and offset that make the reference as bright and as rich in contrast as the target.

    A pixel counts by the precision of the vector that tells where the target shows it: (0.1 + sigma)^-2.
    """
    height, width = grey.shape
    least, zero = np.float32(0.1), np.float32(0)
    weights, reference_sum, reference_squares, target_sum, target_squares = np.zeros(5)
    for y in range(height):
        for x in range(width):
            doubt = sigma[y, x] + least
            weight = 1 / (doubt * doubt) if warped[y, x] >= zero else zero
            here, there = np.float32(grey[y, x]), warped[y, x]
            weights += weight
            reference_sum += weight * here
            reference_squares += weight * here * here
            target_sum += weight * there
            target_squares += weight * there * there
    share = 1 / max(weights, 1e-9)
    reference_mean, target_mean = share * reference_sum, share * target_sum
    reference_variance = max(share * reference_squares - reference_mean * reference_mean, 1.0)
    target_variance = max(share * target_squares - target_mean * target_mean, 0.0)
    gain = min(max(np.sqrt(target_variance / reference_variance), MIN_GAIN), MAX_GAIN)
    return np.float32(gain), np.float32(target_mean - gain * reference_mean)


@kernel("void(float32[:,::1], uint8[:,::1], float32, float32, uint8[:,::1])", fastmath=True)
def compare(warped, grey, gain, offset, out):
    """Write how far what the target shows is from what is expected of it, limited; 0 outside.

    Parameters
    ----------
    warped : ndarray, shape (H, W)
        See `warp`.
    grey : ndarray, shape (H, W), uint8
        Reference; in the target's brightness it is `gain` times itself plus `offset`.
    out : ndarray, shape (H, W), uint8
        Output, sixteenths of the reference's grey levels.
    """
    height, width = grey.shape
    share, zero, most = np.float32(_FRACTION) / gain, np.float32(0), np.float32(255)
    for y in range(height):
        for x in range(width):
            difference = min(abs(warped[y, x] - gain * np.float32(grey[y, x]) - offset) * share, most)
            out[y, x] = np.uint8(np.int32(difference if warped[y, x] >= zero else zero))


@kernel("void(uint8[:,::1], uint8[:,::1], float32, float32[:,::1])", fastmath=True)
def grey_cost(near, around, constant, out):
    """Write `constant` plus the cost of mean differences: in each pixel's patch, in its surroundings."""
    height, width = out.shape
    near_cost, around_cost = np.float32(_PATCH_COST / _FRACTION), np.float32(_SURROUNDINGS_COST / _FRACTION)
    for y in range(height):
        for x in range(width):
            out[y, x] = constant + near_cost * np.float32(near[y, x]) + around_cost * np.float32(around[y, x])


@kernel(
    "void(float32[:,::1], float32[:,::1], float32[:,:,::1], float32[:,::1], float32[:,::1], float32[:,:,::1])"
)
def take_if_cheaper(plane_cost, plane_warped, plane_flow, warped, cost, flow):
    """Replace, in place, flow and cost by the plane's wherever that costs less.

    Never where the plane leads outside and the vector does not: there no grey value speaks against the plane.
    """
    height, width = cost.shape
    for y in range(height):
        for x in range(width):
            leaves = (plane_warped[y, x] < 0) & (warped[y, x] >= 0)
            plane_cost[y, x] = np.inf if leaves else plane_cost[y, x]
        for k in range(2):
            for x in range(width):
                flow[k, y, x] = plane_flow[k, y, x] if plane_cost[y, x] < cost[y, x] else flow[k, y, x]
        for x in range(width):
            cost[y, x] = min(cost[y, x], plane_cost[y, x])


class PlaneChoice:
    """The choice for flows of one size, with its buffers."""

    def __init__(self, height: int, width: int) -> None:
        self._flow = np.empty((2, height, width), np.float32)
        self._warped, self._plane_warped = np.empty((2, height, width), np.float32)
        self._cost, self._plane_cost = np.empty((2, height, width), np.float32)
        self._difference, self._near, self._around = np.empty((3, height, width), np.uint8)

    def __call__(self, planes: list[Plane], reference: Level, target: Level, flow: Flow, sigma: Map) -> None:
        """Replace flow (2, H, W), in place, by a plane's wherever the best of them is believed more.

        What is compared is the logarithm of the error to be expected: of the flow that is sigma; of a plane
        the less, the more vectors obey it; and of each the more, the worse it explains the grey values.
        """
        warp(target.grey_neighbours, flow, self._warped)
        gain_and_offset = brightness(reference.grey, self._warped, sigma)
        self._photometric_cost(reference.grey, self._warped, gain_and_offset, 0.0, self._cost)
        self._cost += np.log(sigma + np.float32(0.05))
        for plane in planes:
            planar_flow(plane.homography, self._flow)
            warp(target.grey_neighbours, self._flow, self._plane_warped)
            constant = _PLANE_COST - _SUPPORT_GAIN * float(np.log(plane.support + 1e-3))
            self._photometric_cost(
                reference.grey, self._plane_warped, gain_and_offset, constant, self._plane_cost
            )
            take_if_cheaper(self._plane_cost, self._plane_warped, self._flow, self._warped, self._cost, flow)

    def _photometric_cost(
        self,
        grey: NDArray[np.uint8],
        warped: Map,
        gain_and_offset: tuple[float, float],
        constant: float,
        out: Map,
    ) -> None:
        """Write `constant` plus the cost of the differences between the reference and the warped target."""
        compare(warped, grey, *gain_and_offset, self._difference)
        cv2.blur(self._difference, _PATCH, dst=self._near)
        cv2.blur(self._difference, _SURROUNDINGS, dst=self._around)
        grey_cost(self._near, self._around, constant, out)
