"""Machine code: where it is kept, and that a user who waits for it is told."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, **environment}, cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip


def test_importing_the_flow_does_not_load_the_compiler() -> None:
    code = "import sys, streamflow.flow; print('numba' in sys.modules)"
    assert run("-c", code).stdout.strip() == "False"


def test_a_cache_that_cannot_be_written_falls_back_to_a_temporary_one(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    code = "from streamflow.kernels import jit; print(jit.CACHE)"
    found = run("-c", code, NUMBA_CACHE_DIR=str(blocked / "folder"), TMPDIR=str(tmp_path)).stdout.strip()
    assert found.startswith(str(tmp_path / "streamflow-numba-"))


def test_a_kernel_of_somebody_else_is_kept_where_numba_keeps_it() -> None:
    code = "import numba; before = numba.config.CACHE_DIR; import streamflow.flow.plain;"
    code += "print(before == numba.config.CACHE_DIR)"
    assert run("-c", code).stdout.strip() == "True"


def test_compiling_is_announced_once_and_not_when_the_code_is_at_hand(tmp_path: Path) -> None:
    words = ("stream.py", "demo:still,size=64x48,frames=4", "--plot_flow", "-o", "jsonl:-")
    first, second = (run(*words, NUMBA_CACHE_DIR=str(tmp_path)).stderr for _ in range(2))
    assert first.count("compiling for this machine") == 1
    assert "compiling" not in second
