"""What moves by itself, from pictures to objects, against the truth of rendered scenes."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from sources.synthetic import SyntheticSource
from streamflow.evaluation.object_scores import ObjectScores
from streamflow.options import Options
from streamflow.pipeline import results
from streamflow.stages import Stage, with_what_they_build_on
from streamflow.values import Frame, Result, SourceInfo, Unknown
from tests.support.encode import through_h264

MOVING = with_what_they_build_on({Stage.MOVING})
FRAMES = 12


def scene(spec: str, frames: int = FRAMES) -> tuple[list[Frame], SourceInfo]:
    source = SyntheticSource(f"demo:{spec},size=317x239,frames={frames}")
    return list(source), source.info


def analysed(
    spec: str, crf: int | None = None, stages: Iterable[Stage] = MOVING, options: Options | None = None
) -> list[Result]:
    frames, info = scene(spec)
    frames = frames if crf is None else through_h264(frames, crf)
    return list(results(frames, frozenset(stages), options, source=info))


def scored(found: list[Result]) -> dict[str, float]:
    scores = ObjectScores()
    for result in found:
        truth = result.pair.reference.truth
        scores.add(result.objects, truth.labels, None)
    return scores.summary()


@pytest.fixture(scope="module")
def crossing() -> list[Result]:
    return analysed("crossing")


def test_passers_by_are_found_before_a_camera_at_rest(crossing: list[Result]) -> None:
    summary = scored(crossing[3:])
    assert summary["moving_iou"] > 0.6
    assert summary["moving_recall"] > 0.8
    assert summary["identity_changes"] == 0


def test_velocity_is_that_of_the_picture(crossing: list[Result]) -> None:
    """Two routes: the stage's, and how far the truth's mask went in the time between."""
    first, last = crossing[-4], crossing[-1]
    seconds = float(last.pair.reference.time - first.pair.reference.time)
    for part in last.objects:
        before = next((each for each in first.objects if each.label == part.label), None)
        labels = last.pair.reference.truth.labels
        label = np.bincount(labels[part.mask]).argmax()
        if before is None or label == 0:
            continue
        there, here = (
            np.argwhere(result.pair.reference.truth.labels == label).mean(axis=0)[::-1]
            for result in (first, last)
        )
        assert (
            np.linalg.norm(part.velocity - (here - there) / seconds)
            < 0.35 * np.linalg.norm(here - there) / seconds
        )


def test_passers_by_are_found_through_a_codec() -> None:
    summary = scored(analysed("crossing", crf=28)[3:])
    assert summary["moving_iou"] > 0.5


def test_they_are_found_on_the_earlier_frame_too() -> None:
    summary = scored(analysed("crossing", options=Options(reference="previous"))[3:])
    assert summary["moving_iou"] > 0.5
    assert summary["identity_changes"] == 0


@pytest.mark.parametrize("name", ["forward", "sideways", "turning", "rotation", "wall", "still"])
def test_nothing_moves_by_itself_in_a_scene_at_rest(name: str) -> None:
    assert not any(result.objects for result in analysed(name))


def test_what_moves_has_no_depth_and_says_why() -> None:
    found = analysed("crossing", stages=with_what_they_build_on({Stage.MOVING, Stage.DEPTH}))[-1]
    assert found.objects
    for part in found.objects:
        assert np.isnan(found.depth.inverse[part.mask]).all()
        assert (found.depth.unknown[part.mask] == Unknown.MOVING).all()


def test_a_pair_of_other_size_after_a_cut_starts_afresh(crossing: list[Result]) -> None:
    frames, _ = scene("crossing", 6)
    other = list(SyntheticSource("demo:crossing,size=211x161,frames=4"))
    rest = [Frame(6 + i, each.image, None, "cut", each.truth) for i, each in enumerate(other)]
    found = list(results([*frames, *rest], MOVING))
    assert all(
        part.mask.shape == result.pair.reference.image.shape[:2]
        for result in found
        for part in result.objects
    )
