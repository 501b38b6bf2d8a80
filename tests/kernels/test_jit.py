"""Machine code: where it is kept, and that a user who waits for it is told."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from shutil import ignore_patterns

ROOT = Path(__file__).parents[2]


def run(*arguments: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, **environment}, cwd=cwd, capture_output=True, text=True, check=True,
    )  # fmt: skip


def test_importing_the_flow_does_not_load_the_compiler() -> None:
    code = "import sys, streamflow.flow; print('numba' in sys.modules)"
    assert run("-c", code).stdout.strip() == "False"


CACHE = "from streamflow.kernels import jit; print(jit.CACHE)"


def test_a_cache_that_cannot_be_written_falls_back_to_the_users(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    user = {"XDG_CACHE_HOME": str(tmp_path), "HOME": str(tmp_path), "LOCALAPPDATA": str(tmp_path)}
    found = run("-c", CACHE, NUMBA_CACHE_DIR=str(blocked / "folder"), **user).stdout
    assert found.startswith(str(tmp_path))
    assert "streamflow" in found
    nowhere = dict.fromkeys(user, str(blocked))
    found = run("-c", CACHE, NUMBA_CACHE_DIR=str(blocked), TMPDIR=str(tmp_path), **nowhere).stdout
    assert found.startswith(str(tmp_path / "streamflow-"))


def test_the_cache_changes_with_a_constant_that_a_kernel_freezes(tmp_path: Path) -> None:
    """`Unknown` stands in a file that does not know the compiler, the rotation in another package."""
    package = shutil.copytree(ROOT / "streamflow", tmp_path / "streamflow", ignore=ignore_patterns("*cache*"))
    names = []
    for file in (None, "values.py", "geometry/rotation.py", "draw/text.py"):
        if file is not None:
            (package / file).write_text((package / file).read_text() + "\n")
        names.append(run("-c", CACHE, PYTHONPATH=str(tmp_path), cwd=tmp_path).stdout)
    assert len(set(names)) == 3
    assert names[2] == names[3]


def test_a_kernel_of_somebody_else_is_kept_where_numba_keeps_it(tmp_path: Path) -> None:
    theirs = (
        "import numba, streamflow.flow.plain\n@numba.njit(cache=True)\ndef theirs(x): return x + 1\ntheirs(1)"
    )
    (tmp_path / "theirs.py").write_text(theirs)
    run("-c", "import theirs", PYTHONPATH=f"{tmp_path}{os.pathsep}{ROOT}", NUMBA_CACHE_DIR="")
    assert list((tmp_path / "__pycache__").glob("theirs.theirs-*.nbi"))


def test_numba_is_left_as_it_was() -> None:
    state = "numba.config.CACHE_DIR, sorted(vars(CPUTargetOptions))"
    code = f"import numba; from numba.core.cpu import CPUTargetOptions; before = {state};"
    code += f"import streamflow.flow.plain; print(before == ({state}))"
    assert run("-c", code).stdout.strip() == "True"


def test_compiling_is_told_once_and_leaves_nothing_to_compile(tmp_path: Path) -> None:
    words = ("stream.py", "demo:still,size=64x48,frames=4", "--plot_flow", "--flow", "plain", "-o", "jsonl:-")
    first, second = (run(*words, NUMBA_CACHE_DIR=str(tmp_path)).stderr for _ in range(2))
    assert first.count("compiling for this machine") == 1
    assert "compiling" not in second


def test_kernels_are_compiled_side_by_side_each_once(tmp_path: Path) -> None:
    """Two that share a list: what one has taken the other leaves alone."""
    code = "from pathlib import Path; from streamflow.compiling import Stage, work;"
    code += f"work(Path({str(tmp_path)!r}), 'balanced', Stage.FLOW)"
    (tmp_path / "streamflow.flow.refine.refine").touch()
    run("-c", code)
    done = {path.stem for path in tmp_path.glob("*.done")}
    assert "streamflow.flow.gradients.pack_neighbours" in done
    assert "streamflow.flow.refine.refine" not in done
    (total,) = (int(path.suffix[1:]) for path in tmp_path.glob("of.*"))
    assert len(done) == total - 1
