"""360-degree pictures: told by their files, and looked at through a pinhole."""

from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest

from sources import open_source
from streamflow.errors import SourceError, UsageError
from streamflow.geometry.camera import camera_for
from streamflow.options import Options
from streamflow.values import CameraSource
from tests.support.clips import write_clip
from tests.support.panoramas import SIZE, copied, marked, panorama, spot

XMP = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:GPano="http://ns.google.com/photos/1.0/panorama/"
GPano:ProjectionType="equirectangular"/>
</rdf:RDF></x:xmpmeta>"""


def folder_of(path: Path, right: float, up: float) -> Path:
    for i in range(2):
        cv2.imwrite(str(path / f"{i}.png"), panorama(right, up))
    return path


def first_frame(spec: Path | str, **options):
    with closing(open_source(str(spec), **options)) as source:
        return next(iter(source)), source.info


@pytest.mark.parametrize(
    ("right", "up", "view"),
    [
        (0, 0, (0, 0)), (25, 0, (0, 0)), (0, 20, (0, 0)), (70, 0, (90, 0)), (-90, 0, (-90, 0)),
        (180, 0, (180, 0)), (40, 35, (40, 35)), (-60, -80, (-60, -80)), (0, 90, (77, 90)),
    ],
)  # fmt: skip
def test_a_spot_is_seen_where_a_pinhole_sees_it(right, up, view, tmp_path):
    """Along a horizontal or vertical line of sight at a tangent from the middle, else in the middle."""
    frame, info = first_frame(folder_of(tmp_path, right, up), view360=(*view, 90.0))
    focal = info.camera_matrix[0, 0]
    expected = info.camera_matrix[:2, 2] + focal * np.tan(np.radians([right - view[0], view[1] - up]))
    if abs(up) > 80:
        expected = info.camera_matrix[:2, 2]
    np.testing.assert_allclose(spot(frame.image), expected, atol=0.6)  # a spot aside is stretched outwards


@pytest.mark.parametrize("fov", [60.0, 90.0, 120.0])
def test_the_view_is_as_sharp_as_the_panorama_and_its_camera_is_known(fov, tmp_path):
    frame, info = first_frame(folder_of(tmp_path, 0, 0), view360=(0.0, 0.0, fov))
    camera = camera_for(Options(), info, frame.size)
    assert camera.source is CameraSource.RECORDED
    assert (
        camera.matrix[0, 0]
        == camera.matrix[1, 1]
        == pytest.approx(frame.size[0] / 2 / np.tan(np.radians(fov / 2)))
    )
    assert camera.matrix[0, 0] == pytest.approx(SIZE[0] / 360 / np.radians(1), rel=0.02)  # pixels a radian
    assert frame.size[0] / frame.size[1] == pytest.approx(4 / 3, abs=0.03)


def test_it_is_cut_out_before_it_is_scaled(tmp_path):
    frame, info = first_frame(folder_of(tmp_path, 20, 0), view360=(0.0, 0.0, 90.0), size=120)
    camera = camera_for(Options(), info, frame.size)
    assert frame.size[0] == 120
    x, y = spot(frame.image)
    assert x == pytest.approx(camera.matrix[0, 2] + camera.matrix[0, 0] * np.tan(np.radians(20)), abs=0.5)
    assert y == pytest.approx(camera.matrix[1, 2], abs=0.5)


@pytest.mark.parametrize("container", ["mp4", "mkv", "webm"])
def test_a_video_that_says_it_is_spherical(container, tmp_path):
    codec = "libvpx-vp9" if container == "webm" else "libx264"
    clip = write_clip(tmp_path / "a.mp4", codec, count=5, size=SIZE, draw=lambda i: panorama(5 * i, 0))
    path = marked(clip) if container == "mp4" else copied(marked(clip), tmp_path / f"a.{container}")
    with pytest.raises(
        SourceError, match=rf"a\.{container}: shows all 360 degrees.* `view360` YAW,PITCH,FOV"
    ):
        open_source(str(path))
    with closing(open_source(str(path), view360=(0.0, 0.0, 90.0))) as source:
        found = [spot(frame.image)[0] for frame in source]
        matrix = source.info.camera_matrix
    expected = matrix[0, 2] + matrix[0, 0] * np.tan(np.radians(5 * np.arange(5)))
    np.testing.assert_allclose(found, expected, atol=1.5)


def test_a_photograph_that_says_it_is_a_panorama(tmp_path):
    for i in range(2):
        data = cv2.imencode(".jpg", panorama(0, 0))[1].tobytes()
        said = b"http://ns.adobe.com/xap/1.0/\0" + XMP
        segment = b"\xff\xe1" + (len(said) + 2).to_bytes(2, "big") + said
        (tmp_path / f"{i}.jpg").write_bytes(data[:2] + segment + data[2:])
    with pytest.raises(SourceError, match=r"shows all 360 degrees"):
        open_source(str(tmp_path))
    assert first_frame(tmp_path, view360=(0.0, 0.0, 90.0))[1].projection is None


def test_flat_video_is_not_spherical(tmp_path):
    _, info = first_frame(write_clip(tmp_path / "a.mp4"))
    assert info.projection is None


@pytest.mark.parametrize("view", [(0.0, 91.0, 90.0), (0.0, 0.0, 170.0), (0.0, 0.0, 0.0)])
def test_views_that_make_no_sense(view, tmp_path):
    with pytest.raises(UsageError, match=r"`view360`: the pitch"):
        open_source(str(tmp_path), view360=view)
