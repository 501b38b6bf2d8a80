"""Statuses through a real encoder: clean rendered frames hide what compression does."""

from dataclasses import replace

import pytest

from sources.synthetic import SyntheticSource
from streamflow.pipeline import results
from streamflow.stages import Stage
from streamflow.values import Status
from tests.support.encode import through_h264

STAGES = frozenset({Stage.FLOW, Stage.MOTION})


def statuses(scene, crf):
    """Of every pair of a demo scene, 320x240, through H.264; nobody knows the camera matrix."""
    source = SyntheticSource(f"demo:{scene},size=320x240,frames=7")
    info = replace(source.info, camera_matrix=None)
    frames = through_h264(source, crf)
    return [result.motion.status for result in results(frames, STAGES, source=info)]


@pytest.mark.parametrize("crf", [18, 28, 33])
@pytest.mark.parametrize(
    ("scene", "status"),
    [
        ("oblique", Status.MOVING),
        ("stamp", Status.MOVING),
        ("pan", Status.ROTATION),
        ("crossing", Status.STATIC),
        ("still", Status.STATIC),
    ],
)
def test_the_status_survives_compression(scene, status, crf):
    assert statuses(scene, crf) == [status] * 6
