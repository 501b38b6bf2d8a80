"""What an image file holds, of any format, depth and orientation, comes out as uint8 BGR."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sources.images import ImagesSource
from streamflow.errors import UsageError
from tests.support.clips import number, numbers, picture
from tests.support.image_folders import deep_picture, folder_of, read, read_twice, write


@pytest.mark.parametrize("suffix", ["png", "jpg", "JPEG", "tif", "tiff", "bmp", "ppm", "webp"])
def test_formats(tmp_path, suffix):
    folder_of(tmp_path, [f"{i}.{suffix}" for i in range(3)])
    frames, health = read(tmp_path)
    assert numbers(frames) == [0, 1, 2]
    tolerance = 0 if suffix in ("png", "tif", "tiff", "bmp", "ppm") else 12
    for i, frame in enumerate(frames):
        assert np.abs(frame.image.astype(float) - picture(i)).mean() <= tolerance
    assert health.whole


COLOUR = (40, 90, 200)  # BGR


@pytest.mark.parametrize(
    ("name", "mode", "expected", "tolerance"),
    [
        ("grey.png", "L", (117, 117, 117), 1),
        ("grey.pgm", "L", (117, 117, 117), 1),
        ("grey_alpha.png", "LA", (117, 117, 117), 1),
        ("palette.png", "P", COLOUR, 1),
        ("cmyk.jpg", "CMYK", COLOUR, 4),
        ("cmyk.tif", "CMYK", COLOUR, 1),
        ("alpha.png", "RGBA", COLOUR, 0),
    ],
)
def test_colour_models(tmp_path, name, mode, expected, tolerance):
    Image.new("RGB", (31, 17), COLOUR[::-1]).convert(mode, palette=Image.Palette.ADAPTIVE).save(
        tmp_path / name
    )
    frame = read_twice(tmp_path)
    assert frame.image.shape == (17, 31, 3)
    assert frame.image.dtype == np.uint8
    assert np.abs(frame.image.astype(int) - expected).max() <= tolerance


def test_one_bit_images_are_black_and_white(tmp_path):
    white = np.indices((17, 31)).sum(axis=0) % 3 == 0
    Image.fromarray(white).save(tmp_path / "mask.png")
    frame = read_twice(tmp_path)
    np.testing.assert_array_equal(frame.image[..., 1], np.where(white, 255, 0))


def test_transparent_parts_are_black(tmp_path):
    image = Image.new("RGBA", (20, 10), (200, 100, 50, 255))
    image.paste((200, 100, 50, 0), (0, 0, 10, 10))
    image.save(tmp_path / "half.png")
    frame = read_twice(tmp_path)
    assert (frame.image[:, :10] == 0).all()
    assert (frame.image[:, 10:] == (50, 100, 200)).all()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png", "tif"])
def test_exif_orientation_is_applied(tmp_path, orientation, suffix):
    """The picture is stored as the tag says; read, it must be upright again."""
    stored = {
        1: lambda im: im,
        2: lambda im: im[:, ::-1],
        3: lambda im: np.rot90(im, 2),
        4: lambda im: im[::-1],
        5: lambda im: np.swapaxes(im, 0, 1),
        6: lambda im: np.rot90(im, 1),
        7: lambda im: np.swapaxes(np.rot90(im, 2), 0, 1),
        8: lambda im: np.rot90(im, -1),
    }[orientation](picture(77, (97, 61)))
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(np.ascontiguousarray(stored[..., ::-1])).save(tmp_path / f"a.{suffix}", exif=exif)
    frame = read_twice(tmp_path)
    assert frame.size == (97, 61)
    assert number(frame.image) == 77


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_exif_orientation_of_deep_images_is_applied(tmp_path, suffix):
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = np.ascontiguousarray(np.rot90(deep_picture(77, 16)[..., 0], 1))
    Image.fromarray(stored).save(tmp_path / f"a.{suffix}", exif=exif)
    frame = read_twice(tmp_path)
    assert frame.size == (96, 64)
    assert number(frame.image) == 77


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
@pytest.mark.parametrize("suffix", ["png", "tif", "ppm", "pgm"])
def test_deep_images_show_every_grey_of_the_scene(tmp_path, bits, suffix):
    """Brightness is a linear function of the values, one for all images, that uses the whole range."""
    for i in range(12):
        image = deep_picture(i, bits)
        write(tmp_path / f"{i}.{suffix}", image[..., 1] if suffix == "pgm" else image)
    frames, health = read(tmp_path)
    assert numbers(frames) == list(range(12))
    true = np.stack([picture(i)[..., 1] for i in range(12)]).ravel().astype(float)
    found = np.stack([frame.image[..., 1] for frame in frames]).ravel()
    gain, offset = np.polyfit(true, found, 1)
    assert abs(found - (gain * true + offset)).max() <= 1
    assert found.max() - found.min() > 220
    assert health.notes[0].startswith("uint16 pictures, ")
    assert health.whole


@pytest.mark.parametrize("bits", [10, 16])
def test_levels_are_the_users_if_given(tmp_path, bits):
    for i in range(3):
        write(tmp_path / f"{i}.png", deep_picture(i, bits))
    source = ImagesSource(str(tmp_path), levels=(0, 2**bits - 1))
    for i, frame in enumerate(source):
        assert abs(frame.image.astype(int) - picture(i)).max() <= 1
    assert source.health.notes == [f"uint16 pictures, 0:{2**bits - 1:g} shown as black to white (see levels)"]


def test_levels_of_shallow_images_are_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match="8 bits deep; leave out levels"):
        ImagesSource(str(folder_of(tmp_path, ["0.png", "1.png"])), levels=(0, 255))


def test_few_values_far_from_zero_are_spread(tmp_path):
    """A thermal camera: 400 of 65536 values, with a dead pixel."""
    for i in range(3):
        thermal = (7200 + picture(i)[..., 1] / 255 * 400).astype(np.uint16)
        thermal[5, 5] = 0
        write(tmp_path / f"{i}.png", thermal)
    frames, _ = read(tmp_path)
    for i, frame in enumerate(frames):
        shown, true = frame.image[..., 0].ravel().astype(float), picture(i)[..., 1].ravel()
        assert np.corrcoef(np.delete(shown, 5 * 96 + 5), np.delete(true, 5 * 96 + 5))[0, 1] > 0.9999
        assert np.ptp(shown) > 200
        assert frame.image[5, 5].max() == 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16, np.int32])
def test_values_of_any_kind_are_read(tmp_path, dtype):
    for i in range(3):
        values = (picture(i)[..., 1].astype(float) - 128).astype(dtype)
        if values.dtype.kind == "f":
            values = (values / 1000).astype(dtype)
            values[0, 0] = np.nan
        write(tmp_path / f"{i}.tif", values) if dtype != np.int16 else signed(tmp_path / f"{i}.tif", values)
    frames, health = read(tmp_path)
    assert numbers(frames) == [0, 1, 2]
    assert health.whole


def signed(path: Path, values: np.ndarray) -> None:
    """TIFF with SampleFormat 2, which neither library writes by itself."""
    Image.fromarray(values.view(np.uint16)).save(path, tiffinfo={339: 2})


def test_a_deep_image_that_no_sample_has_is_read(tmp_path):
    for i in range(40):
        write(tmp_path / f"{i}.png", deep_picture(i, 16) if i == 33 else picture(i))
    frames, health = read(tmp_path)
    assert numbers(frames) == list(range(40))
    assert health.whole


def test_one_scale_for_the_whole_folder(tmp_path):
    """Dark frames stay darker than bright ones: nothing is stretched frame by frame."""
    for i in range(20):
        write(tmp_path / f"{i}.png", np.full((9, 11), 200 * (i + 1), np.uint16))
    frames, _ = read(tmp_path)
    steps = np.diff([int(frame.image[0, 0, 0]) for frame in frames])
    assert steps.min() >= 11
    assert steps.max() <= 13
