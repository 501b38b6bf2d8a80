"""kill -9 at random moments: python -m tests.stress.kill_and_resume TIMES [SEED].

After every kill that came two seconds into the pairs the annotated video must play; after the last one
`--resume` must end with the bytes of an undisturbed run, the measured times excepted.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import av

from tests.sinks.test_resume import COMMAND
from tests.support.program import contents


def kill_once(folder: Path, seconds: float) -> float:
    """Continue the run, kill it `seconds` after its video began; return for how long that had grown."""
    part = folder / "out.part.mp4"
    before = part.stat().st_mtime_ns if part.exists() else 0
    process = subprocess.Popen(
        [*COMMAND, "--resume"], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while process.poll() is None and not (part.exists() and part.stat().st_mtime_ns > before):
        time.sleep(0.01)
    began = time.monotonic()
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    process.wait()
    return time.monotonic() - began


def pictures(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def main(times: int, seed: int) -> None:
    moments = random.Random(seed)
    with tempfile.TemporaryDirectory() as root:
        whole, killed = Path(root, "whole"), Path(root, "killed")
        for folder in (whole, killed):
            folder.mkdir()
        subprocess.run(COMMAND, cwd=whole, check=True, capture_output=True)
        for number in range(times):
            lived = kill_once(killed, moments.uniform(0, 3))
            video = next((p for p in (killed / "out.part.mp4", killed / "out.mp4") if p.exists()), None)
            played = pictures(video) if lived > 2 and video is not None else None
            print(f"kill {number + 1}: after {lived:.2f} s, pictures that play: {played}", flush=True)
        subprocess.run([*COMMAND, "--resume"], cwd=killed, check=True, capture_output=True)
        if contents(killed) != contents(whole):
            sys.exit("the bytes differ")
        print("byte-identical")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1)
