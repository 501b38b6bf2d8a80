"""What the user masks takes no part in anything, and says so."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import pytest

from sources.mask import read_mask
from sources.synthetic import SyntheticSource
from streamflow.depth.completion import completed
from streamflow.draw.excluded import HATCH
from streamflow.draw.painter import draw
from streamflow.draw.panel import Style
from streamflow.errors import UsageError
from streamflow.options import Options
from streamflow.picture_mask import PictureMask
from streamflow.pipeline import results
from streamflow.stages import Stage
from streamflow.values import Result, Unknown

SIZE = (241, 161)


def half() -> np.ndarray:
    mask = np.zeros(SIZE[::-1], np.bool_)
    mask[:, 160:] = True
    return mask


@lru_cache
def masked() -> Result:
    source = SyntheticSource(f"demo:oblique,size={SIZE[0]}x{SIZE[1]},frames=2")
    (result,) = results(source, frozenset(Stage), Options(mask=PictureMask(half())), source=source.info)
    return result


def test_it_is_no_evidence_of_motion_depth_or_planes() -> None:
    result, mask = masked(), half()
    assert np.isinf(result.flow.evident[mask]).all()
    assert (result.motion.points[:, 0] < 160).all()
    assert (result.depth.unknown[mask] == Unknown.FIXED).all()
    assert np.isnan(result.depth.inverse[mask]).all()
    assert np.isfinite(result.depth.inverse[~mask]).any()
    assert not any(plane.mask[mask].any() for plane in result.planes)


def test_it_is_not_filled_either() -> None:
    filled = completed(masked().depth, masked().pair.reference.grey)
    assert np.isnan(filled.inverse[half()]).all()
    assert np.isfinite(filled.inverse[~half()]).all()


def test_it_is_hatched_in_the_views_of_the_scene_and_not_in_the_frame_itself() -> None:
    frame = masked().pair.reference.image
    for view, hatched in {"depth": True, "flow": True, "image": False}.items():
        picture = draw(masked(), view, Style(clean=False))
        stripes = (picture == HATCH).all(axis=-1)
        assert stripes[half()].any() == hatched
    np.testing.assert_array_equal(draw(masked(), "image", Style(clean=True)), frame)


def test_a_file_is_read_black_is_not_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "mask.png"
    cv2.imwrite(str(path), np.where(half(), 0, 200).astype(np.uint8))
    mask = read_mask(str(path))
    np.testing.assert_array_equal(mask.excluded, half())
    assert mask.name == "mask.png"


def test_it_is_scaled_with_the_pictures_and_of_another_shape_refused() -> None:
    mask = PictureMask(half(), "mask.png")
    np.testing.assert_array_equal(mask.fitted_to((482, 322))[::2, ::2], half())
    with pytest.raises(UsageError, match=r"`mask` mask\.png is 241x161, but the pictures are 161x241"):
        mask.fitted_to((161, 241))


@pytest.mark.parametrize(
    ("content", "says"), [(None, "no such file"), (b"", "is not an image"), (b"text", "is not an image")]
)
def test_what_is_no_mask_is_one_line(tmp_path: Path, content: bytes | None, says: str) -> None:
    path = tmp_path / "mask.png"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=says):
        read_mask(str(path))


def test_a_mask_that_leaves_nothing_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mask.png"
    cv2.imwrite(str(path), np.zeros((4, 6), np.uint8))
    with pytest.raises(UsageError, match="all black"):
        read_mask(str(path))
