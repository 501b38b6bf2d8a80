"""The encoder that other tests put their frames through."""

import numpy as np

from sources.synthetic import SyntheticSource
from tests.support.encode import through_h264


def test_frames_come_back_in_order_with_their_truth_and_the_damage_that_was_asked_for() -> None:
    frames = list(SyntheticSource("demo:oblique,size=167x101,frames=5"))
    little, much = (through_h264(frames, crf) for crf in (18, 33))
    for frame, fine, coarse in zip(frames, little, much, strict=True):
        assert (fine.index, fine.time) == (frame.index, frame.time)
        assert fine.truth is frame.truth
        errors = [abs(each.grey.astype(float) - frame.grey).mean() for each in (fine, coarse)]
        assert 0.5 < errors[0] < 4  # grey levels
        assert 1.5 * errors[0] < errors[1] < 15


def test_a_scene_at_rest_comes_back_at_rest() -> None:
    first, *others = through_h264(SyntheticSource("demo:still,size=96x64,frames=4"), 28)
    for frame in others:
        assert abs(frame.grey.astype(float) - first.grey).mean() < 1
    assert np.isfinite(first.truth.depth).any()
