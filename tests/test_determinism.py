"""Same input, same bits: whatever lies in memory that was never written."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
DIGESTS = """
import hashlib
from sources import open_source
from streamflow.pipeline import results
for result in results(open_source("demo:oblique,size=161x101,frames=6")):
    flow, depth, motion = result.flow, result.depth, result.motion
    maps = flow.vectors, flow.sigma, flow.smin, depth.inverse, depth.variance
    print(*(hashlib.sha1(values.tobytes()).hexdigest()[:8] for values in maps), motion.translation.epipole)
"""


def digests(perturbation: int) -> str:
    """Digests of every map, with fresh memory filled with a byte that changes from run to run."""
    environment = {**os.environ, "MALLOC_PERTURB_": str(perturbation)}
    done = subprocess.run(
        [sys.executable, "-c", DIGESTS], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_results_do_not_depend_on_what_was_in_memory() -> None:
    first = digests(85)
    assert len(first.splitlines()) == 5
    assert digests(170) == digests(1) == first
