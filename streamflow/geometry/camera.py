"""The pinhole camera: its matrix, from a calibration or a field of view, and the undoing of its lens.

A calibration made at another size is scaled with the image; one of another shape is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from streamflow.errors import UsageError
from streamflow.options import Options
from streamflow.values import CameraSource, Frame, Matrix, SourceInfo

ASSUMED_FOV = 60.0  # degrees, horizontal, when nobody says
LENSES_SPREAD = 0.4  # standard deviation of the logarithm of the focal lengths people use, about that one
SHAPE_TOLERANCE = 0.01  # of the aspect ratio
FILM_WIDTH = 36.0  # millimetres: what "35 mm equivalent" focal lengths refer to


@dataclass(frozen=True, eq=False)
class Calibration:
    """A camera as it was calibrated."""

    matrix: Matrix  # (3, 3) pixels
    size: tuple[int, int] | None = None  # (width, height) the matrix is for; None: of the images used
    distortion: Matrix | None = None  # OpenCV's k1 k2 p1 p2 k3 ..., or four fisheye coefficients
    fisheye: bool = False
    name: str = "camera"
    others: tuple[Calibration, ...] = ()  # further cameras in the same file; which it is, the pictures tell

    def as_plain(self) -> dict[str, object]:
        """Return the same as numbers and words that JSON knows."""
        plain = {
            name: value.tolist() if isinstance(value, np.ndarray) else value
            for name, value in vars(self).items()
        }
        return {**plain, "others": [other.as_plain() for other in self.others]}

    def of(self, name: str, size: tuple[int, int]) -> Calibration:
        """Return the camera among this and the others that took the pictures.

        Parameters
        ----------
        name : str
            Of the source; KITTI's folders of pictures have the camera's number in it, such as image_02.
        size : tuple of int
            (width, height) of the pictures.

        Raises
        ------
        UsageError
            Several may be meant.
        """
        if not self.others:
            return self
        every = [self, *self.others]
        folder = re.search(r"image_(\d+)", name)
        for fits in (
            lambda camera: folder is not None and camera.name.endswith(f"#{folder[1]}"),
            lambda camera: camera.size == size,
            lambda camera: camera.size is None or camera.has_shape_of(size),
        ):
            fitting = [camera for camera in every if fits(camera)]
            if len(fitting) == 1:
                return replace(fitting[0], others=())
            every = fitting or every
        names = ", ".join(camera.name for camera in every[:8])
        raise UsageError(f"{self.name.partition('#')[0]} holds several cameras; say which: {names}")

    def has_shape_of(self, size: tuple[int, int]) -> bool:
        """Whether pictures of `size` have the shape that was calibrated."""
        if self.size is None:
            return False
        return abs(size[0] * self.size[1] / (size[1] * self.size[0]) - 1) <= SHAPE_TOLERANCE

    def scaled_to(self, size: tuple[int, int]) -> Calibration:
        """Return the same camera delivering images of another size.

        Raises
        ------
        UsageError
            The images have another aspect ratio, so they were cropped: only a new calibration helps.
        """
        if self.size is None or self.size == size:
            return Calibration(self.matrix, size, self.distortion, self.fisheye, self.name)
        (width, height), (old_width, old_height) = size, self.size
        across, down = width / old_width, height / old_height
        if not self.has_shape_of(size):
            raise UsageError(
                f"{self.name} is calibrated for {old_width}x{old_height}, but the images are "
                f"{width}x{height}: another shape; calibrate at this shape, or give `fov`"
            )
        # Pixel centres are at integers, so the image's corner, not its first pixel, is the fixed point.
        to_corner = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
        scale = np.diag([across, down, 1.0])
        matrix = np.linalg.inv(to_corner) @ scale @ to_corner @ self.matrix
        return Calibration(matrix, size, self.distortion, self.fisheye, self.name)

    def seen_through(self, transform: Matrix, size: tuple[int, int]) -> Calibration:
        """Return the camera that takes this one's pictures after their pixels were moved.

        Parameters
        ----------
        transform : Matrix
            (3, 3) old pixels -> new pixels: a scaling, a crop, a turn by a multiple of 90 degrees.
        size : tuple of int
            (width, height) of the new pictures.
        """
        turn = np.eye(3)
        turn[:2, :2] = np.sign(transform[:2, :2])
        matrix = transform @ self.matrix @ turn.T
        distortion = self.distortion
        if distortion is not None and not self.fisheye:
            # Of Brown's model (p2, p1) is a vector in the image plane; what is radial does not turn.
            distortion = np.array(distortion, np.float64).ravel()
            distortion[[3, 2]] = turn[:2, :2] @ distortion[[3, 2]]
        return Calibration(matrix, size, distortion, self.fisheye, self.name)


class Camera:
    """The camera of a stream of images of one size."""

    def __init__(
        self,
        calibration: Calibration,
        size: tuple[int, int],
        source: CameraSource = CameraSource.GIVEN,
        focal_sigma: float = 0.0,
    ) -> None:
        self.size = size  # (width, height)
        self.matrix = calibration.matrix  # (3, 3) pixels
        self.source = source  # how the matrix is known
        self.focal_sigma = focal_sigma  # relative standard deviation of the focal length
        self._maps: tuple[NDArray[Any], NDArray[Any]] | None = None
        if calibration.distortion is not None:
            undo = cv2.fisheye.initUndistortRectifyMap if calibration.fisheye else cv2.initUndistortRectifyMap
            maps = undo(self.matrix, calibration.distortion, np.eye(3), self.matrix, size, cv2.CV_16SC2)
            self._maps = np.asarray(maps[0]), np.asarray(maps[1])

    @property
    def focal_known(self) -> bool:
        """Whether somebody says what the focal length is."""
        return self.source in (CameraSource.GIVEN, CameraSource.RECORDED)

    def with_focal_length(self, log_ratio: float, sigma: float) -> Camera:
        """Return the camera with its focal length multiplied by exp(log_ratio), as estimated."""
        matrix = self.matrix @ np.diag([np.exp(log_ratio), np.exp(log_ratio), 1.0])
        return Camera(Calibration(matrix), self.size, CameraSource.ESTIMATED, sigma)

    def rectify(self, frame: Frame) -> Frame:
        """Return the frame as an ideal pinhole with the same matrix would see it."""
        if self._maps is None:
            return frame
        image = cv2.remap(frame.image, *self._maps, cv2.INTER_LINEAR)
        return replace(frame, image=np.asarray(image, np.uint8), rectified=True)


def camera_for(options: Options, source: SourceInfo | None, size: tuple[int, int]) -> Camera:
    """Return the camera the user describes, else the one the source knows, else an assumed one.

    Raises
    ------
    UsageError
        The calibration is for images of another shape.
    """
    info = source or SourceInfo("", "")
    original = info.original_size or size
    calibration, known = _calibration(options, info, original)
    if info.from_original is not None:
        calibration = calibration.scaled_to(original).seen_through(info.from_original, info.size or size)
    doubt = LENSES_SPREAD if known is CameraSource.ASSUMED else 0.0
    return Camera(calibration.scaled_to(size), size, known, doubt)


def _calibration(
    options: Options, source: SourceInfo, size: tuple[int, int]
) -> tuple[Calibration, CameraSource]:
    """Find what is known of the camera that took pictures of `size`, and how."""
    first = source.original_size or source.size  # the size may change in mid-stream
    if options.camera is not None:
        camera = options.camera.of(source.name, first or size)
        return replace(camera, size=camera.size or first), CameraSource.GIVEN
    if options.fov is not None:
        return Calibration(matrix_from_fov(options.fov, size)), CameraSource.GIVEN
    if source.camera_matrix is not None:
        lens = source.distortion, source.fisheye, source.name
        return Calibration(source.camera_matrix, first, *lens), CameraSource.RECORDED
    if source.focal_35mm is not None:
        matrix = matrix_from_fov(fov_from_focal_35mm(source.focal_35mm), size)
        return Calibration(matrix), CameraSource.RECORDED
    return Calibration(matrix_from_fov(ASSUMED_FOV, size)), CameraSource.ASSUMED


def matrix_from_fov(degrees: float, size: tuple[int, int]) -> Matrix:
    """(3, 3) camera matrix, pixels, from the horizontal field of view, principal point at the centre."""
    width, height = size
    focal = width / 2 / np.tan(np.radians(degrees) / 2)
    return np.array([[focal, 0, (width - 1) / 2], [0, focal, (height - 1) / 2], [0, 0, 1]])


def calibrated(points: Matrix, K: Matrix) -> Matrix:
    """(2, N) where the rays through pixels (N, 2) meet the plane z = 1."""
    L = np.linalg.inv(K)[:2]
    return np.asarray(L[:, :2] @ points.T + L[:, 2:])


def field_of_view(camera_matrix: Matrix, size: tuple[int, int]) -> float:
    """Horizontal, degrees, of a camera matrix (3, 3) for images of `size` (width, height)."""
    return float(np.degrees(2 * np.arctan(size[0] / 2 / camera_matrix[0, 0])))


def field_of_view_sigma(fov: float, focal_sigma: float) -> float:
    """Standard deviation, degrees, of a field of view of `fov` degrees: of tan(fov / 2) = width / 2 f."""
    return float(np.degrees(np.sin(np.radians(fov)) * focal_sigma))


def fov_from_focal_35mm(millimetres: float) -> float:
    """Horizontal field of view, degrees, of a focal length "on 35 mm film"."""
    return float(np.degrees(2 * np.arctan(FILM_WIDTH / 2 / millimetres)))
