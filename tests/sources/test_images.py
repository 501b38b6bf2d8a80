from __future__ import annotations

from fractions import Fraction

import pytest
from PIL import Image

from sources import grouped, open_source
from sources.images import ImagesSource
from streamflow.errors import SourceError
from streamflow.values import Health
from tests.support.clips import cut, flip_bits, numbers, picture, times
from tests.support.image_folders import deep_picture, folder_of, read, write


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


def test_focal_length_is_read(tmp_path):
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0xA405] = 28
    for i in range(2):
        Image.fromarray(picture(i)).save(tmp_path / f"phone_{i}.jpg", exif=exif)
    assert ImagesSource(str(tmp_path)).info.focal_35mm == 28
    folder_of(tmp_path, ["plain_0.png", "plain_1.png"])
    assert ImagesSource(str(tmp_path / "plain*")).info.focal_35mm is None


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
