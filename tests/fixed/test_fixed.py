"""What is fixed to the camera is learnt while the scene moves, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest

from sources.video import VideoSource
from streamflow.fixed.evidence import compare, compare_rows
from streamflow.fixed.stage import FixedStage
from streamflow.values import Frame, Image, Mask
from tests.support.clips import write_clip

SIZE = (320, 200)
COUNT = 32  # pictures


def texture(seed: int, size: tuple[int, int] = (900, 600)) -> Image:
    """Grey levels at every scale from 4 to 64 pixels."""
    rng = np.random.default_rng(seed)
    layers = [
        cv2.resize(rng.uniform(0, 255, (size[1] // step, size[0] // step)).astype(np.float32), size)
        for step in (4, 8, 16, 32, 64)
    ]
    mean = np.mean(layers, axis=0)
    return np.clip(128 + 2 * (mean - mean.mean()), 20, 235).astype(np.uint8)


SCENE, LORRY, BONNET = texture(1), texture(2), texture(3)


def driving(index: int) -> Image:
    """The scene, approached by 1.5% a picture, and shaken by half a pixel."""
    scale = 1.015**index
    shake = np.random.default_rng(index).normal(0, 0.5, 2)
    centre = np.array([450.0, 300]) + shake
    move = np.array([[1 / scale, 0, centre[0] - 160 / scale], [0, 1 / scale, centre[1] - 90 / scale]])
    return np.asarray(cv2.warpAffine(SCENE, move, SIZE, flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP))


def bonnet(picture: Image) -> Mask:
    """Cover the lowest part of a picture with a still ellipse; say where."""
    mask = np.zeros(picture.shape, np.uint8)
    cv2.ellipse(mask, (160, 200), (200, 60), 0, 0, 360, 1, -1)
    np.copyto(picture, BONNET[:200, :320], where=mask > 0)
    return mask > 0


def stamp(picture: Image) -> Mask:
    """Write a name into the corner."""
    mask = np.zeros(picture.shape, np.uint8)
    cv2.putText(mask, "CAM 7 NORTH", (8, 24), cv2.FONT_HERSHEY_SIMPLEX, 0.7, 1, 2)
    picture[cv2.dilate(mask, np.ones((3, 3))) > 0] = 0
    picture[mask > 0] = 255
    return mask > 0


def bars(picture: Image) -> Mask:
    """Black above and below."""
    mask = np.ones(picture.shape, np.bool_)
    mask[26:-26] = False
    picture[mask] = 0
    return mask


def round_mask(picture: Image) -> Mask:
    """Black around the view of an eyepiece."""
    mask = np.ones(picture.shape, np.uint8)
    cv2.circle(mask, (160, 100), 95, 0, -1)
    picture[mask > 0] = 0
    return mask > 0


Cover = Callable[[Image], Mask]
COVERS: list[Cover] = [bonnet, stamp, bars, round_mask]


def shown(greys: list[Image], stage: FixedStage | None = None) -> Mask:
    """What is fixed in the last picture."""
    stage, found = stage or FixedStage(), None
    for index, grey in enumerate(greys):
        found = stage(Frame(index, cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)))
    return np.zeros(greys[-1].shape, np.bool_) if found is None else found


def covered(cover: Cover, count: int = COUNT) -> tuple[list[Image], Mask]:
    greys = [driving(index) for index in range(count)]
    masks = [cover(grey) for grey in greys]
    return greys, masks[0]


def encoded(path: Path, greys: list[Image], crf: int) -> list[Image]:
    options = {"crf": str(crf), "preset": "veryfast"}
    draw = [cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR) for grey in greys]
    write_clip(path, count=len(greys), size=SIZE, options=options, draw=lambda index: draw[index])
    with closing(VideoSource(str(path))) as source:
        return [frame.grey for frame in source]


@pytest.mark.parametrize("crf", [None, 18, 28, 33])
@pytest.mark.parametrize("cover", COVERS)
def test_what_stays_is_learnt_within_a_second(tmp_path: Path, cover: Cover, crf: int | None) -> None:
    greys, mask = covered(cover, 25)
    if crf is not None:
        greys = encoded(tmp_path / "clip.mp4", greys, crf)
    found = shown(greys)
    near = cv2.dilate(mask.view(np.uint8), np.ones((25, 25))) > 0
    assert found[mask].mean() > 0.8
    assert found[~near].mean() < 0.01


@pytest.mark.parametrize("crf", [None, 18, 33])
@pytest.mark.parametrize("cover", [bars, round_mask])
def test_a_bar_or_a_mask_is_known_at_once(tmp_path: Path, cover: Cover, crf: int | None) -> None:
    greys, mask = covered(cover, 2)
    if crf is not None:
        greys = encoded(tmp_path / "clip.mp4", greys, crf)
    found = shown(greys)
    assert found[mask].mean() > 0.95
    assert found[cv2.dilate(mask.view(np.uint8), np.ones((17, 17))) == 0].mean() < 0.01


def test_a_night_sky_is_no_bar() -> None:
    rng = np.random.default_rng(0)
    greys = [driving(index) for index in range(COUNT)]
    for grey in greys:
        grey[:80] = rng.poisson(6.0, (80, 320))
    assert shown(greys)[:70].mean() < 0.01


def test_a_fade_from_black_is_seen_as_it_comes() -> None:
    greys = [(driving(index) * min(1.0, index / 12)).astype(np.uint8) for index in range(COUNT)]
    assert not shown(greys).any()


@pytest.mark.parametrize("crf", [None, 28, 33])
def test_nothing_is_fixed_where_all_moves_and_far_in_the_middle_it_hardly_does(
    tmp_path: Path, crf: int | None
) -> None:
    greys = [driving(index) for index in range(COUNT)]
    assert not shown(greys if crf is None else encoded(tmp_path / "clip.mp4", greys, crf)).any()


def test_a_sky_without_texture_is_not_fixed() -> None:
    greys = [driving(index) for index in range(COUNT)]
    for grey in greys:
        grey[:80] = 190
    found = shown(greys)
    assert found[:60].mean() < 0.01


def test_a_camera_at_rest_is_not_behind_a_bonnet_when_a_lorry_passes() -> None:
    rng = np.random.default_rng(0)
    still = SCENE[200:400, 300:620]
    greys = []
    for index in range(90):
        grey = np.clip(still + rng.normal(0, 1.5, still.shape), 0, 255).astype(np.uint8)
        left = 330 - 12 * (index - 30)  # comes in at picture 30 and covers 3/4 of the picture's height
        right = left + 420
        columns = np.arange(max(0, left), np.clip(right, 0, 320))
        grey[50:, columns] = LORRY[:150, columns - left]
        greys.append(grey)
    stage = FixedStage()
    for index, grey in enumerate(greys):
        found = stage(Frame(index, cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)))
        assert found is None or not found.any(), index


def test_what_is_known_stays_known_at_rest_and_is_forgotten_when_it_goes() -> None:
    greys, mask = covered(bonnet)
    stage = FixedStage()
    assert shown(greys, stage)[mask].mean() > 0.8
    assert shown([greys[-1]] * 40, stage)[mask].mean() > 0.8
    bare = [driving(COUNT + index) for index in range(20)]
    assert shown(bare, stage)[mask].mean() < 0.02


def test_a_reset_forgets() -> None:
    greys, _ = covered(bonnet)
    stage = FixedStage()
    shown(greys, stage)
    stage.reset()
    assert not shown(greys[:10], stage).any()


def test_another_size_begins_anew() -> None:
    greys, _ = covered(bonnet)
    stage = FixedStage()
    shown(greys, stage)
    stage.reset()
    assert not shown([grey[:120, :200] for grey in greys[:10]], stage).any()


@pytest.mark.parametrize("height", [1, 63, 64, 65, 131, 200])
def test_comparing_in_bands_of_rows_is_comparing_the_whole(height: int) -> None:
    now, before = (driving(index)[:height].astype(np.float32) for index in (8, 0))
    for part, whole in zip(compare(now, before)[1:], compare_rows(now, before)[1:], strict=True):
        np.testing.assert_array_equal(part, whole)
