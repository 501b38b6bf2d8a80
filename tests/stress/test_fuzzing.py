"""A sample of what the fuzzers do; the whole is `python -m tests.stress.fuzz_videos` and its neighbours."""

import pytest

from tests.stress import fuzz_calibrations, fuzz_images, fuzz_videos
from tests.stress.fuzzing import fuzz

pytestmark = pytest.mark.process


@pytest.mark.parametrize(("fuzzer", "count"), [(fuzz_videos, 36), (fuzz_images, 40), (fuzz_calibrations, 60)])
def test_a_sample_has_no_findings(fuzzer, count):
    verdicts = fuzz(fuzzer.__name__, fuzzer.mutants, count, seed=7)
    assert {what: verdict for what, verdict in verdicts.items() if verdict.startswith("FINDING")} == {}
    assert len(verdicts) == count
    assert "read" in verdicts.values()
