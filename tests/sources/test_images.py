from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from sources.images import ImagesSource
from streamflow.errors import SourceError
from streamflow.values import Frame, Health
from tests.support.clips import cut, flip_bits, number, numbers, picture


def write(path: Path, image: np.ndarray) -> Path:
    """Write through a name in ASCII, which is all that OpenCV takes everywhere."""
    plain = path.with_name("writing" + path.suffix)
    assert cv2.imwrite(str(plain), image)
    return plain.rename(path)


def folder_of(folder: Path, names: list[str]) -> Path:
    for i, name in enumerate(names):
        write(folder / name, picture(i))
    return folder


def read(spelling: Path | str, fps: Fraction | None = None) -> tuple[list[Frame], Health]:
    source = ImagesSource(str(spelling), fps=fps)
    frames = list(source)
    source.close()
    return frames, source.health


def test_natural_order(tmp_path):
    names = ["frame_1.png", "frame_2.png", "frame_10.png", "Frame_11.png", "frame_0100.png"]
    frames, health = read(folder_of(tmp_path, names))
    assert numbers(frames) == [0, 1, 2, 3, 4]
    assert [frame.index for frame in frames] == [0, 1, 2, 3, 4]
    assert health == Health(decoded=5)


def test_names_in_any_script(tmp_path):
    folder = tmp_path / "кадры 図 [1]"
    folder.mkdir()
    frames, _ = read(folder_of(folder, ["снимок 9.png", "снимок 10.png"]))
    assert numbers(frames) == [0, 1]


def test_pattern(tmp_path):
    folder_of(tmp_path, ["left_1.png", "left_2.png", "right_1.png"])
    (tmp_path / "left_notes.txt").write_text("no image")
    source = ImagesSource(str(tmp_path / "left_*"))
    assert numbers(source) == [0, 1]
    assert (source.info.stem, source.info.length) == (tmp_path.name, 2)
    source.close()


def test_frames_have_time_only_if_the_user_gives_a_rate(tmp_path):
    folder_of(tmp_path, [f"{i}.png" for i in range(4)])
    assert {frame.time for frame in read(tmp_path)[0]} == {None}
    frames, _ = read(tmp_path, fps=Fraction(30000, 1001))
    assert [frame.time for frame in frames] == [Fraction(1001 * i, 30000) for i in range(4)]


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
    ((frame,), _) = read(tmp_path)
    assert frame.image.shape == (17, 31, 3)
    assert frame.image.dtype == np.uint8
    assert np.abs(frame.image.astype(int) - expected).max() <= tolerance


def test_one_bit_images_are_black_and_white(tmp_path):
    white = np.indices((17, 31)).sum(axis=0) % 3 == 0
    Image.fromarray(white).save(tmp_path / "mask.png")
    ((frame,), _) = read(tmp_path)
    np.testing.assert_array_equal(frame.image[..., 1], np.where(white, 255, 0))


def test_transparent_parts_are_black(tmp_path):
    image = Image.new("RGBA", (20, 10), (200, 100, 50, 255))
    image.paste((200, 100, 50, 0), (0, 0, 10, 10))
    image.save(tmp_path / "half.png")
    ((frame,), _) = read(tmp_path)
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
    ((frame,), _) = read(tmp_path)
    assert frame.size == (97, 61)
    assert number(frame.image) == 77


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_exif_orientation_of_deep_images_is_applied(tmp_path, suffix):
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = np.ascontiguousarray(np.rot90(deep_picture(77, 16)[..., 0], 1))
    Image.fromarray(stored).save(tmp_path / f"a.{suffix}", exif=exif)
    ((frame,), _) = read(tmp_path)
    assert frame.size == (96, 64)
    assert number(frame.image) == 77


def test_focal_length_is_read(tmp_path):
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0xA405] = 28
    Image.fromarray(picture(0)).save(tmp_path / "phone.jpg", exif=exif)
    assert ImagesSource(str(tmp_path)).info.focal_35mm == 28
    assert ImagesSource(str(folder_of(tmp_path / "..", ["plain.png"]) / "plain.png")).info.focal_35mm is None


def deep_picture(i: int, bits: int) -> np.ndarray:
    return (picture(i).astype(np.uint32) * (2**bits - 1) // 255).astype(np.uint16)


@pytest.mark.parametrize("bits", [10, 12, 16])
@pytest.mark.parametrize("suffix", ["png", "tif", "ppm", "pgm"])
def test_deep_images_use_the_depth_they_have(tmp_path, bits, suffix):
    for i in range(12):
        image = deep_picture(i, bits)
        write(tmp_path / f"{i}.{suffix}", image[..., 1] if suffix == "pgm" else image)
    frames, health = read(tmp_path)
    assert numbers(frames) == list(range(12))
    for frame in frames:
        expected = picture(frame.index).astype(int)
        if suffix == "pgm":
            expected = np.repeat(expected[..., 1:2], 3, axis=2)
        assert np.abs(frame.image.astype(int) - expected).max() <= 1
    assert health.notes == [f"uint16 images, read as {bits} bits deep"]


def test_one_scale_for_the_whole_folder(tmp_path):
    """Dark frames stay darker than bright ones: nothing is stretched frame by frame."""
    for i in range(20):
        write(tmp_path / f"{i}.png", np.full((9, 11), 200 * (i + 1), np.uint16))
    frames, _ = read(tmp_path)
    assert [int(frame.image[0, 0, 0]) for frame in frames] == [200 * (i + 1) >> 4 for i in range(20)]


def test_deeper_than_the_sample_is_a_gap_not_clipped(tmp_path):
    for i in range(40):
        write(tmp_path / f"{i}.png", np.full((9, 11), 60000 if i == 33 else 1000, np.uint16))
    frames, health = read(tmp_path)
    assert [frame.index for frame in frames if frame.gap] == [33]
    assert frames[32].image[0, 0, 0] == 1000 >> 2
    assert frames[33].image[0, 0, 0] == 60000 >> 8
    assert health.gaps == 1


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "bmp", "webp"])
def test_half_an_image_is_named_counted_and_a_gap(tmp_path, suffix):
    folder_of(tmp_path, [f"{i}.{suffix}" for i in range(6)])
    cut(tmp_path / f"2.{suffix}", 0.5)
    (tmp_path / f"3.{suffix}").write_bytes(b"")
    frames, health = read(tmp_path)
    assert numbers(frames) == [0, 1, 4, 5]
    assert [frame.index for frame in frames] == [0, 1, 4, 5]
    assert [bool(frame.gap) for frame in frames] == [False, False, True, False]
    assert health.damaged == 2
    assert not health.whole
    assert f"2.{suffix}" in health.notes[0]
    assert health.notes[1] == f"3.{suffix}: is empty (0 bytes)"


@pytest.mark.parametrize("suffix", ["png", "tif", "ppm", "pgm"])
def test_half_a_deep_image_is_counted_in_silence(tmp_path, suffix, capfd):
    for i in range(3):
        image = deep_picture(i, 16)
        write(tmp_path / f"{i}.{suffix}", image[..., 1] if suffix == "pgm" else image)
    cut(tmp_path / f"1.{suffix}", 0.5)
    frames, health = read(tmp_path)
    assert numbers(frames) == [0, 2]
    assert health.damaged == 1
    assert capfd.readouterr() == ("", "")


def test_flipped_bits_in_png_do_not_pass(tmp_path):
    folder_of(tmp_path, ["0.png", "1.png", "2.png"])
    flip_bits(tmp_path / "1.png", 3, seed=1, start=0.5)
    frames, health = read(tmp_path)
    assert [frame.index for frame in frames] == [0, 2]
    assert health.damaged == 1


def test_size_change_is_a_new_segment(tmp_path):
    for i in range(4):
        write(tmp_path / f"{i}.png", picture(i, (96, 64) if i < 2 else (64, 48)))
    frames, health = read(tmp_path)
    assert [frame.gap for frame in frames] == [None, None, "size changes from 96x64 to 64x48", None]
    assert health.gaps == 1
    assert health.whole


def test_floating_point_images_are_refused_with_a_remedy(tmp_path):
    cv2.imwrite(str(tmp_path / "depth.tiff"), np.ones((5, 7), np.float32))
    with pytest.raises(SourceError, match="convert it to 16 bits"):
        ImagesSource(str(tmp_path))


def test_folder_without_images(tmp_path):
    (tmp_path / "notes.txt").write_text("nothing here")
    with pytest.raises(SourceError, match=r"no images there; looked for \.png") as caught:
        ImagesSource(str(tmp_path))
    assert str(tmp_path) in str(caught.value)


def test_folder_whose_subfolder_has_the_images(tmp_path):
    (tmp_path / "image").mkdir()
    folder_of(tmp_path / "image", ["0.png"])
    with pytest.raises(SourceError, match=r"try .*image"):
        ImagesSource(str(tmp_path))


def test_folder_where_nothing_can_be_read(tmp_path):
    (tmp_path / "a.png").write_bytes(b"no image at all")
    with pytest.raises(SourceError, match=r"none of its images can be read \(a.png: is no image"):
        ImagesSource(str(tmp_path))
