"""What the camera would run into before long, if it went on as it goes."""

import cv2
import numpy as np
from numpy.typing import NDArray

from streamflow.depth.triangulation import Map, Matrix, Vector
from streamflow.values import Depth, Looming, Mask

SPACING = 4  # pixels between the points that are looked at
SURE = 0.2  # relative error of the inverse depth up to which a point counts
CORRIDOR = 0.05  # half its width over the way that the camera goes until the limit
CORE = 0.02  # the same of its middle, which a region has to reach
FACING = 0.5  # of a point's own rate, with which the surface about it is approached along the heading
WINDOW = (7, 7)  # points about one that tell its surface
FEWEST = 12  # of them that have to be known
SMALLEST = 0.003  # region, as a share of the image
GAP = np.ones((5, 5), np.bool_)  # points: gaps of a region that are closed, as that about the epipole
AROUND = 1.25  # limit of the points of a region, over that of the region
SAME = 1.25  # ratio of two times up to which they may be of one object
EARLY = 33  # percentile of their times that is the region's: robust, and rather early than late


def looming_regions(depth: Depth, camera_matrix: Matrix, heading: Vector, limit: float) -> list[Looming]:
    """Find the regions that the camera will run into in little more than `limit`.

    A short time to contact alone is no collision: the road right in front of a car has one. A point belongs
    to a region when its depth is known well, its time to contact is within the limit, and

    - it is in the way: no further from the line of travel than a twentieth of the way that the camera goes
      until the limit (1.5 m to each side at 15 m/s and 2 s), in a region that comes nearer than a fiftieth
      (60 cm). Metres are not known, but who moves faster is wider, and keeps clear by more.
    - its surface faces the camera's way. Time to contact is that of a plane, so its rate 1/t is linear in
      the image; fitted about the point and extended to the epipole, it tells when the camera would pierce
      that plane. The rate of a wall ahead stays as it is; that of the ground, and of a wall that the camera
      passes along, falls to zero: they are never reached.

    What moves on the camera's own line, as a car that brakes ahead, counts with the time that its approach
    takes; what crosses has no depth, and is not seen here.

    Parameters
    ----------
    depth : with its time to contact.
    camera_matrix : (3, 3), pixels.
    heading : (3,), unit, where the camera moves as time goes by, in its own axes.
    limit : time in the unit of `depth.time_to_contact`.

    Returns
    -------
    Connected regions that fill at least .3% of the image within the corridor, the most urgent first, each
    with what faces the camera's way about it at about the same time. That time is the lower third of its
    points'.
    """
    if depth.time_to_contact is None or heading[2] <= 0:
        return []
    time, rho, variance = (
        map_[::SPACING, ::SPACING] for map_ in (depth.time_to_contact, depth.inverse, depth.variance)
    )
    sure = (time > 0) & (variance < (SURE * rho) ** 2)
    rays, epipole = _rays(time.shape, camera_matrix), heading / heading[2]
    aside = np.linalg.norm(np.cross(rays, heading), axis=-1) * heading[2] / limit
    near = sure & (time < AROUND * limit) & (aside * time < CORRIDOR)
    if np.mean(near) < SMALLEST:
        return []
    rate = np.divide(1, time, where=sure, out=np.zeros_like(time))
    surfaces = _surfaces(rate, rays)
    near = _facing(near, rate, surfaces, epipole)
    found = []
    for region in _connected(near):
        contact = float(np.percentile(time[region & near], EARLY))
        if np.mean(region) > SMALLEST and np.min(aside[region]) * contact < CORE:
            alike = (rate * contact > 1 / SAME) & (rate * contact < SAME)
            whole = _grown(region, _facing(alike, rate, surfaces, epipole))
            mask = whole.repeat(SPACING, axis=0).repeat(SPACING, axis=1)
            found.append(
                Looming(contact, mask[: depth.time_to_contact.shape[0], : depth.time_to_contact.shape[1]])
            )
    return sorted(found, key=lambda looming: looming.time)


def _rays(shape: tuple[int, ...], camera_matrix: Matrix) -> NDArray[np.float64]:
    """K^-1 [x, 1] of the points of the grid, (h, w, 3)."""
    y, x = SPACING * np.mgrid[: shape[0], : shape[1]]
    return np.asarray(np.stack([x, y, np.ones_like(x)], axis=-1) @ np.linalg.inv(camera_matrix).T)


def _surfaces(rate: Map, rays: NDArray[np.float64]) -> NDArray[np.float32]:
    """Normal equations of the plane through the rates about each point: 6 of the matrix, 3, their number."""
    x, y, one = np.moveaxis(rays.astype(np.float32) * (rate > 0)[..., None], 2, 0)
    rows = cv2.merge([x * x, x * y, x, y * y, y, one, x * rate, y * rate, rate, one])
    return np.asarray(cv2.boxFilter(rows, -1, WINDOW, normalize=False))


def _facing(which: Mask, rate: Map, surfaces: NDArray[np.float32], epipole: Vector) -> Mask:
    """Those points whose surface is met ahead, (h, w)."""
    sums = surfaces[which].astype(np.float64)
    normal = np.empty((len(sums), 3, 3))
    first, second = np.triu_indices(3)
    normal[:, first, second] = normal[:, second, first] = sums[:, :6]
    planes = np.linalg.solve(normal + 1e-9 * np.eye(3), sums[:, 6:9, None])[..., 0]
    facing = np.zeros_like(which)
    facing[which] = (sums[:, 9] >= FEWEST) & (planes @ epipole > FACING * rate[which])
    return facing


def _connected(points: Mask) -> list[Mask]:
    """Regions of the points, small gaps closed."""
    from scipy.ndimage import binary_closing

    count, labels = cv2.connectedComponents(binary_closing(points, GAP).view(np.uint8))
    return [labels == label for label in range(1, count)]


def _grown(region: Mask, around: Mask) -> Mask:
    """The region with what is connected to it."""
    return next(whole for whole in _connected(region | around) if (whole & region).any())
