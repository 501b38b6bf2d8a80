from __future__ import annotations

import shutil
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from sources import grouped, open_source
from sources.images import ImagesSource
from streamflow.errors import SourceError, UsageError
from streamflow.values import Frame, Health
from tests.support.clips import cut, flip_bits, number, numbers, picture, times


def write(path: Path, image: np.ndarray) -> Path:
    """Write through a name in ASCII, which is all that OpenCV takes everywhere."""
    plain = path.with_name("writing" + path.suffix)
    assert cv2.imwrite(str(plain), image)
    return plain.rename(path)


def folder_of(folder: Path, names: list[str]) -> Path:
    for i, name in enumerate(names):
        write(folder / name, picture(i))
    return folder


def read(spec: Path | str, fps: Fraction | None = None) -> tuple[list[Frame], Health]:
    source = ImagesSource(str(spec), fps=fps)
    frames = list(source)
    source.close()
    return frames, source.health


def read_twice(folder: Path) -> Frame:
    """Read the only image of `folder`, to which a copy is added: one picture is no stream."""
    (path,) = folder.iterdir()
    shutil.copy(path, path.with_stem("copy"))
    (frame, same), health = read(folder)
    np.testing.assert_array_equal(frame.image, same.image)
    assert health.whole
    return frame


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


def test_focal_length_is_read(tmp_path):
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0xA405] = 28
    for i in range(2):
        Image.fromarray(picture(i)).save(tmp_path / f"phone_{i}.jpg", exif=exif)
    assert ImagesSource(str(tmp_path)).info.focal_35mm == 28
    folder_of(tmp_path, ["plain_0.png", "plain_1.png"])
    assert ImagesSource(str(tmp_path / "plain*")).info.focal_35mm is None


def deep_picture(i: int, bits: int) -> np.ndarray:
    return (picture(i).astype(np.uint32) * (2**bits - 1) // 255).astype(np.uint16)


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


def animation(path: Path, count: int, **how: object) -> Path:
    """Pictures in one file, each shown for 40 ms."""
    pages = [Image.fromarray(picture(i)[..., ::-1].copy()) for i in range(count)]
    pages[0].save(path, save_all=True, append_images=pages[1:], **how)
    return path


@pytest.mark.parametrize("suffix", ["webp", "png", "avif"])
def test_animation_is_a_stream_with_times(tmp_path, suffix):
    path = animation(tmp_path / f"moving.{suffix}", 12, duration=40)
    source = open_source(str(path))
    assert isinstance(source, ImagesSource)
    frames = list(source)
    assert numbers(frames) == list(range(12))
    assert [frame.time for frame in frames] == [Fraction(i, 25) for i in range(12)]
    assert (source.info.stem, source.info.length) == ("moving", 12)


def test_stack_of_pages(tmp_path):
    path = animation(tmp_path / "stack.tif", 12)
    assert numbers(open_source(str(path))) == list(range(12))
    frames = list(open_source(str(path), fps=Fraction(10), start=Fraction(1, 2)))
    assert numbers(frames) == list(range(5, 12))


def test_deep_stack_of_pages(tmp_path):
    cv2.imwritemulti(str(tmp_path / "stack.tif"), [deep_picture(i, 12) for i in range(12)])
    assert numbers(open_source(str(tmp_path / "stack.tif"))) == list(range(12))


def test_every_page_of_a_folder(tmp_path):
    for name, first in (("a.gif", 0), ("b.tif", 3), ("c.webp", 6), ("d.png", 9)):
        pages = [Image.fromarray(picture(first + i)[..., ::-1].copy()) for i in range(3)]
        pages[0].save(tmp_path / name, save_all=True, append_images=pages[1:])
    frames, health = read(tmp_path)
    assert numbers(frames) == list(range(12))
    assert [frame.index for frame in frames] == list(range(12))
    assert health == Health(decoded=12)


def test_reduced_copies_in_a_stack_are_left_out_and_said(tmp_path):
    pages = [Image.fromarray(picture(i // 2, (96, 64) if i % 2 == 0 else (48, 32))) for i in range(4)]
    for i, page in enumerate(pages):
        page.encoderinfo = {"tiffinfo": {254: i % 2}}
    pages[0].save(tmp_path / "pyramid.tif", save_all=True, append_images=pages[1:])
    source = open_source(str(tmp_path / "pyramid.tif"))
    assert numbers(source) == [0, 1]
    assert source.health.notes == ["TIFF pages that are reduced copies of others are left out"]


def test_further_pictures_of_a_photo_are_left_out_and_said(tmp_path):
    """A phone's photo with its gain map, or a stereo camera's with the other eye."""
    for i in range(2):
        animation(tmp_path / f"{i}.jpg", 2, format="MPO")
    frames, health = read(tmp_path)
    assert len(frames) == 2
    assert health.notes == ["MPO files hold further pictures: the first of each is read"]


@pytest.mark.parametrize("suffix", ["tif", "webp", "png"])
def test_half_an_animation_is_counted_and_the_rest_is_read(tmp_path, suffix):
    path = cut(animation(tmp_path / f"moving.{suffix}", 12), 0.6)
    found = []
    with suppress(SourceError):  # a chunk of WebP is checked as a whole
        source = open_source(str(path))
        found = numbers(source)
        assert not source.health.whole
    assert found == list(range(len(found)))
    assert len(found) == (0 if suffix == "webp" else 7)


def test_one_picture_is_no_stream(tmp_path):
    (path,) = folder_of(tmp_path, ["one.png"]).iterdir()
    for spec in (tmp_path, path):
        with pytest.raises(SourceError, match=r"is one picture; motion needs two"):
            open_source(str(spec))


def test_images_given_one_by_one_are_one_stream_in_their_order(tmp_path):
    folder = folder_of(tmp_path, ["b.png", "a.png", "c.png"])
    specs = [str(folder / name) for name in ("b.png", "a.png")]
    assert grouped([*specs, "clip.mp4", specs[0]]) == [tuple(specs), "clip.mp4", specs[0]]
    source = open_source(tuple(specs))
    assert numbers(source) == [0, 1]
    assert source.info.files == tuple(specs)


def test_animations_are_streams_of_their_own(tmp_path):
    specs = [str(animation(tmp_path / f"{i}.webp", 3)) for i in range(2)]
    assert grouped(specs) == specs


def test_a_gap_in_the_numbers_is_a_gap(tmp_path):
    folder_of(tmp_path, [f"shot_{n}.png" for n in (8, 9, 10, 13, 14)])
    frames, health = read(tmp_path, fps=Fraction(10))
    assert [frame.index for frame in frames] == [0, 1, 2, 5, 6]
    assert [frame.gap for frame in frames][3] == "2 images are missing before shot_13.png"
    assert times(frames)[3] == Fraction(1, 2)
    assert health.gaps == 1
    assert health.whole


@pytest.mark.parametrize(
    "names",
    [
        ["0010.png", "0020.png", "0030.png", "0040.png"],  # every tenth
        ["1305031102.17.png", "1305031102.21.png", "1305031102.24.png", "1305031102.27.png"],  # times
        ["a_1.png", "a_2.png", "b_1.png", "b_7.png"],
        ["x.png", "y.png", "z.png"],
    ],
)
def test_other_numbers_are_no_gap(tmp_path, names):
    frames, health = read(folder_of(tmp_path, names))
    assert numbers(frames) == list(range(len(names)))
    assert health == Health(decoded=len(names))


def test_pattern_with_a_number_as_c_prints_it(tmp_path):
    folder_of(tmp_path, ["shot_00100.png", "shot_00101.png", "shot_7.png", "other_00102.png"])
    assert numbers(ImagesSource(str(tmp_path / "shot_%05d.png"))) == [0, 1]
    assert numbers(ImagesSource(str(tmp_path / "shot_%d.png"))) == [2, 0, 1]


def test_signs_of_patterns_in_names(tmp_path):
    folder = tmp_path / "Render[1] 50%d"
    folder.mkdir()
    folder_of(folder, ["a*1.png", "a*2.png", "[b].png"])
    assert numbers(open_source(str(folder))) == [2, 0, 1]
    assert numbers(open_source(str(folder / "*.png"))) == [2, 0, 1]
    assert numbers(open_source(str(folder / "a*[12].png"))) == [0, 1]


def test_links_that_lead_in_circles_are_followed_once(tmp_path):
    folder = tmp_path / "deep"
    folder.mkdir()
    folder_of(folder, ["0.png", "1.png"])
    for name in ("self", "again"):
        (folder / name).symlink_to(".")
    assert numbers(ImagesSource(f"{tmp_path}/**/*.png")) == [0, 1]


def test_a_picture_in_two_formats_is_read_once_and_said(tmp_path):
    folder_of(tmp_path, ["0.png", "1.png", "0.jpg", "1.jpg", "2.jpg"])
    frames, health = read(tmp_path)
    assert numbers(frames) == [0, 1, 4]
    assert health.notes == ["2 pictures are there in another format too: those in .jpg are left out"]
    assert numbers(ImagesSource(str(tmp_path / "*.jpg"))) == [2, 3, 4]


def test_companions_are_no_images(tmp_path):
    folder_of(tmp_path, ["0.png", "1.png"])
    for name in ("._0.png", ".DS_Store", "Thumbs.db", "0.png.xml"):
        (tmp_path / name).write_bytes(b"litter")
    frames, health = read(tmp_path)
    assert numbers(frames) == [0, 1]
    assert health == Health(decoded=2)
