"""The predicted error: what tells of a codec, and whether it holds through a real one."""

import cv2
import numpy as np
import pytest

from streamflow.flow.blockiness import blockiness
from streamflow.flow.engine import FlowEngine
from streamflow.flow.sigma import copied
from streamflow.values import Frame
from tests.support.encode import through_h264

HEIGHT, WIDTH = 273, 331
STEP = np.array([2.3, -1.4])


def pictures(count: int = 5) -> list[np.ndarray]:
    """A photograph's spectrum, weaker to the right, that moves by `STEP` a frame; (H, W, 3)."""
    rng = np.random.default_rng(4)
    layers = [
        cv2.resize(rng.normal(size=(s, s)), (600, 600), interpolation=cv2.INTER_CUBIC) * 300 / s
        for s in (10, 30, 90, 300)
    ]
    noise = np.sum(layers, axis=0)
    grey = 128 + 25 * noise / noise.std() * np.linspace(1.6, 0.2, 600)
    moved = [np.array([[1, 0, 100 - k * STEP[0]], [0, 1, 100 - k * STEP[1]]]) for k in range(count)]
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    frames = [cv2.warpAffine(grey, matrix, (WIDTH, HEIGHT), flags=flags) for matrix in moved]
    return [np.repeat(np.clip(np.round(f), 0, 255).astype(np.uint8)[..., None], 3, axis=2) for f in frames]


def encoded(crf: int) -> list[np.ndarray]:
    frames = through_h264([Frame(k, image) for k, image in enumerate(pictures())], crf)
    return [frame.grey for frame in frames]


def test_blockiness_grows_with_what_the_encoder_takes_away() -> None:
    clean = np.ascontiguousarray(pictures()[3][..., 0])
    assert blockiness(clean) < 0.02 < blockiness(encoded(33)[3]) < 0.1 < blockiness(encoded(40)[3])


def test_blockiness_does_not_mind_where_the_grid_begins() -> None:
    image = encoded(38)[3]
    whole, moved = blockiness(image), blockiness(np.ascontiguousarray(image[5:, 11:]))
    assert moved == pytest.approx(whole, rel=0.25)


def test_jpeg_and_small_pictures_have_none() -> None:
    clean = np.ascontiguousarray(pictures()[0][..., 0])
    jpeg = cv2.imdecode(cv2.imencode(".jpg", clean, [cv2.IMWRITE_JPEG_QUALITY, 70])[1], 0)
    assert blockiness(jpeg) < 0.02
    assert blockiness(np.ascontiguousarray(encoded(38)[3][:60])) == 0


def test_copied_is_what_is_identical_unless_that_is_most() -> None:
    reference = np.ascontiguousarray(pictures()[0][..., 0])
    target = reference ^ 1
    target[50:90, 60:110] = reference[50:90, 60:110]
    expected = np.zeros(reference.shape, bool)
    expected[54:86, 64:106] = True
    np.testing.assert_array_equal(copied(reference, target), expected)
    assert not copied(reference, reference).any()


@pytest.mark.parametrize("preset", ["fast", "balanced", "accurate"])
def test_the_predicted_error_follows_the_encoder(preset: str) -> None:
    engine = FlowEngine(preset)
    predicted, actual = [], []
    for crf in (None, 23, 33):
        frames = [image[..., 0] for image in pictures()] if crf is None else encoded(crf)
        vectors, sigma = engine(frames[2], frames[3])
        inner = np.s_[12:-12, 12:-12]
        error = np.linalg.norm(vectors - STEP, axis=-1)[inner]
        predicted.append(1.1774 * np.median(sigma))
        actual.append(np.median(error))
    assert predicted[0] < predicted[1] < predicted[2]
    np.testing.assert_array_less(np.abs(np.log(np.divide(predicted, actual))), np.log(4))
