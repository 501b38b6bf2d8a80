"""What is fixed to the camera: a picture on top of the scene, and where it is."""

from __future__ import annotations

import cv2
import numpy as np

from streamflow.evaluation.scene import rectangle, render
from streamflow.geometry.camera import matrix_from_fov
from streamflow.values import Image, Mask

BONNET = 0.28  # of the picture's height
BARS = 0.12  # of the picture's height, above and below


def bonnet(size: tuple[int, int], index: int) -> tuple[Image, Mask]:
    """Return a textured ellipse over the lowest part: (H, W, 3) and (H, W)."""
    width, height = size
    mask = np.zeros((height, width), np.uint8)
    axes = (round(0.62 * width), round(BONNET * height))
    cv2.ellipse(mask, (width // 2, height), axes, 0, 0, 360, 255, -1)
    paint = rectangle((-9, -9, 3), (18, 0, 0), (0, 18, 0), texel=0.02, seed=90, colour=(0.75, 0.6, 0.5))
    picture, _ = render([paint], np.eye(4), matrix_from_fov(60, size), size)
    return picture, mask > 0


def stamp(size: tuple[int, int], index: int) -> tuple[Image, Mask]:
    """Return the time in a black bar below, and a name above."""
    width, height = size
    picture, mask = np.zeros((height, width, 3), np.uint8), np.zeros((height, width), np.uint8)
    scale, white = height / 480, (255, 255, 255)
    bar = round(0.92 * height)
    mask[bar:] = 255
    at = (round(0.02 * width), round(0.98 * height))
    cv2.putText(picture, f"2024-05-17 14:03:{index // 30 % 60:02d}", at, 0, 0.8 * scale, white, 1)
    at = (round(0.72 * width), round(0.09 * height))
    for canvas in (picture, mask):
        cv2.putText(canvas, "CAM 04", at, 0, scale, white, max(1, round(3 * scale)))
    return picture, mask > 0


def letterbox(size: tuple[int, int], index: int) -> tuple[Image, Mask]:
    """Return black bars above and below."""
    width, height = size
    bar, mask = round(BARS * height), np.zeros((height, width), np.bool_)
    mask[:bar] = mask[height - bar :] = True
    return np.zeros((height, width, 3), np.uint8), mask
