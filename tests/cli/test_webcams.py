"""What a driver of Video4Linux lists, in words; the driver is one of ours: test machines have no camera."""

import errno
import struct
from pathlib import Path

from streamflow.cli.webcams import webcams

MODES = {  # format of the pixels: size: intervals in seconds
    0x56595559: {(640, 480): [(1, 30), (1, 15)], (1280, 720): [(1, 10)]},
    0x47504A4D: {(640, 480): [(1, 30)], (1280, 720): [(1, 60), (1001, 30000)]},
}


class Driver:
    """Answers as linux/videodev2.h says; beyond the end of a list with EINVAL."""

    def __init__(self, device_caps: int = 1) -> None:
        self._capability = struct.pack(
            "16s32s32s6I", b"uvcvideo", b"HD Webcam", b"usb-1", 0x60000, 0x84A00001, device_caps, 0, 0, 0
        )

    def __call__(self, camera: int, request: int, asked: bytes) -> bytes:
        kind, number = chr(request >> 8 & 0xFF), request & 0xFF
        assert (kind, request >> 16 & 0x3FFF) == ("V", len(asked))
        try:
            return {0: self._query, 2: self._formats, 74: self._sizes, 75: self._intervals}[number](asked)
        except IndexError:
            raise OSError(errno.EINVAL, "Invalid argument") from None

    def _query(self, asked: bytes) -> bytes:
        return self._capability

    def _formats(self, asked: bytes) -> bytes:
        index, kind = struct.unpack_from("II", asked)
        return struct.pack("3I32s5I", index, kind, 0, b"", list(MODES)[index], 0, 0, 0, 0)

    def _sizes(self, asked: bytes) -> bytes:
        index, pixels = struct.unpack_from("II", asked)
        return struct.pack("5I24x", index, pixels, 1, *list(MODES[pixels])[index])

    def _intervals(self, asked: bytes) -> bytes:
        index, pixels, width, height = struct.unpack_from("4I", asked)
        return struct.pack("7I24x", index, pixels, width, height, 1, *MODES[pixels][width, height][index])


def test_sizes_and_rates_of_all_formats_together(tmp_path):
    (tmp_path / "video0").touch()
    said = "HD Webcam; 640x480 at 15, 30; 1280x720 at 10, 29.97, 60"
    assert webcams(Driver(), [tmp_path / "video0"]) == {str(tmp_path / "video0"): said}


def test_a_device_without_pictures_is_no_camera(tmp_path):
    (tmp_path / "video1").touch()
    assert webcams(Driver(device_caps=0x04A00000), [tmp_path / "video1"]) == {}


def test_a_device_that_cannot_be_asked_says_why():
    from fcntl import ioctl

    assert webcams(ioctl, [Path("/dev/null")]) == {"/dev/null": "Inappropriate ioctl for device"}
