"""Codecs: what is encoded is decoded, OpenCV agrees, and nothing else passes for a whole file."""

import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from streamflow.formats import flo, kitti, pfm, ply

SHAPE = 5, 7
VECTORS = np.random.default_rng(0).normal(0, 30, (*SHAPE, 2)).astype(np.float32)
VECTORS[0, 1] = np.nan
VECTORS[2, 3, 0] = np.inf
UNKNOWN = ~np.isfinite(VECTORS).all(axis=2)


def test_flo_bytes_are_those_of_the_published_format() -> None:
    data = flo.encode(VECTORS)
    assert data[:4] == b"PIEH"
    assert struct.unpack("<ii", data[4:12]) == SHAPE[::-1]
    assert struct.unpack_from("<ff", data, 12 + 8 * 7) == tuple(VECTORS[1, 0])


def test_flo_is_decoded_with_nan_where_a_component_is_unknown() -> None:
    expected = np.where(UNKNOWN[..., None], np.nan, VECTORS)
    np.testing.assert_array_equal(flo.decode(flo.encode(VECTORS)), expected)


def test_flo_takes_any_mark_of_the_unknown() -> None:
    stored = np.array([[[1e10, 0], [0, -2e9], [np.nan, 0], [1e9, -4]]], "<f4")
    decoded = flo.decode(struct.pack("<fii", 202021.25, 4, 1) + stored.tobytes())
    assert np.isnan(decoded[0, :3]).all()
    assert decoded[0, 3].tolist() == [1e9, -4]


def test_opencv_reads_flo(tmp_path: Path) -> None:
    (tmp_path / "a.flo").write_bytes(flo.encode(VECTORS))
    theirs = cv2.readOpticalFlow(str(tmp_path / "a.flo"))
    np.testing.assert_array_equal(theirs[~UNKNOWN], VECTORS[~UNKNOWN])


def test_kitti_is_decoded_to_a_128th_of_a_pixel_where_it_is_valid() -> None:
    decoded = kitti.decode(kitti.encode(VECTORS, ~UNKNOWN))
    np.testing.assert_allclose(decoded[~UNKNOWN], VECTORS[~UNKNOWN], atol=1 / 128)
    assert np.isnan(decoded[UNKNOWN]).all()


def test_kitti_stores_u_v_valid_as_red_green_blue() -> None:
    vectors = np.array([[[1.5, -2.0], [kitti.LARGEST, -512], [3, 4]]], np.float32)
    data = kitti.encode(vectors, np.array([[True, True, False]]))
    red_green_blue = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)[0, :, ::-1]
    assert red_green_blue.tolist() == [[2**15 + 96, 2**15 - 128, 1], [2**16 - 1, 0, 1], [0, 0, 0]]


def test_pfm_has_its_rows_bottom_up_and_is_decoded_to_the_last_bit() -> None:
    values = VECTORS[..., 0]
    data = pfm.encode(values)
    assert data.startswith(b"Pf\n7 5\n-1.0\n")
    assert struct.unpack("<f", data[-28:-24]) == (values[0, 0],)
    np.testing.assert_array_equal(pfm.decode(data), values)
    big_endian = b"Pf 7 5 1.0e+00\n" + values[::-1].astype(">f4").tobytes()
    np.testing.assert_array_equal(pfm.decode(big_endian), values)


def test_points_keep_their_places_and_colours() -> None:
    points = np.array([[1, 2, 3], [-4, 5.5, 6]], np.float32)
    colours = np.array([[255, 128, 0], [1, 2, 3]], np.uint8)
    data = ply.encode(points, colours, "unit m")
    assert b"\ncomment unit m\nelement vertex 2\n" in data
    assert struct.unpack("<fffBBB", data[-15:]) == (-4, 5.5, 6, 3, 2, 1)
    found, seen = ply.decode(data)
    np.testing.assert_array_equal(found, points)
    np.testing.assert_array_equal(seen, colours)


WHOLE = {
    flo: flo.encode(VECTORS),
    kitti: kitti.encode(VECTORS, ~UNKNOWN),
    pfm: pfm.encode(VECTORS[..., 0]),
    ply: ply.encode(VECTORS[0, :3].repeat(2, axis=1)[:, :3], np.zeros((3, 3), np.uint8)),
}


@pytest.mark.parametrize("codec", WHOLE, ids=lambda codec: codec.__name__.rpartition(".")[2])
@pytest.mark.parametrize("keep", [0, 3, 20, -1])
def test_a_part_is_no_file(codec, keep) -> None:
    data = WHOLE[codec][:keep]
    with pytest.raises(ValueError, match=r"not a|another length"):
        codec.decode(data)


def test_a_picture_of_another_kind_is_no_kitti_flow() -> None:
    for picture in (np.zeros((5, 7, 3), np.uint8), np.zeros((5, 7), np.uint16)):
        with pytest.raises(ValueError, match="16 bits and three channels"):
            kitti.decode(cv2.imencode(".png", picture)[1].tobytes())
