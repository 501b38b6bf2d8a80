"""Who may know whom, and what importing costs."""

import ast
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

ROOT = Path(__file__).parent.parent
FACADE = {"__init__.py", "__main__.py", "api.py"}  # composes the method with sources and the terminal
METHOD = sorted(
    path
    for path in (ROOT / "streamflow").rglob("*.py")
    if "cli" not in path.parts and not (path.parent.name == "streamflow" and path.name in FACADE)
)
SOURCES = sorted(path for path in (ROOT / "sources").rglob("*.py") if path.name != "__init__.py")
SINKS = sorted(path for path in (ROOT / "sinks").rglob("*.py") if path.name != "__init__.py")


def imported(path: Path) -> set[str]:
    """Modules that a file names in any import, at its top or inside a function."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


def packages(path: Path) -> set[str]:
    return {name.partition(".")[0] for name in imported(path)}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", METHOD, ids=name_of)
def test_the_method_knows_no_files_windows_or_terminals(path: Path) -> None:
    assert not packages(path) & {"sources", "sinks", "stream", "av", "rich", "argparse", "matplotlib"}


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_a_source_knows_neither_sinks_nor_stages(path: Path) -> None:
    assert not packages(path) & {"sinks", "stream"}
    stages = ("flow", "motion", "depth", "planes", "analysis", "pipeline", "cli", "draw")
    assert not {name for name in imported(path) if name.startswith(tuple(f"streamflow.{s}" for s in stages))}


@pytest.mark.parametrize("path", SINKS, ids=name_of)
def test_a_sink_knows_neither_sources_nor_stages(path: Path) -> None:
    assert not packages(path) & {"sources", "stream"}
    stages = ("flow", "motion.estimate", "depth", "planes", "analysis", "pipeline", "cli")
    assert not {name for name in imported(path) if name.startswith(tuple(f"streamflow.{s}" for s in stages))}


def printed_by(code: str) -> str:
    """What the last line prints, in an interpreter of its own."""
    return subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout


def loaded_after(code: str) -> set[str]:
    names = printed_by(f"{code}\nprint('', *sys.modules, sep='\\n')").rpartition("\n\n")[2]
    return {name.partition(".")[0] for name in names.split()}


def test_importing_the_package_loads_no_heavy_library() -> None:
    assert not loaded_after("import streamflow") & {"numpy", "cv2", "av", "numba", "matplotlib", "rich"}


def test_help_loads_no_heavy_library() -> None:
    code = "import stream\ntry: stream.main(['--help'])\nexcept SystemExit: pass"
    assert not loaded_after(code) & {"numpy", "cv2", "av", "numba", "matplotlib", "rich"}


@pytest.mark.parametrize(
    "package", ["sinks", "sources", "streamflow.draw", "streamflow.formats", "streamflow.geometry"]
)
def test_what_stands_below_the_stages_loads_neither_them_nor_the_compiler(package: str) -> None:
    """In a fresh interpreter: whatever way an import takes, it is seen."""
    code = f"""
import importlib, pkgutil
package = importlib.import_module("{package}")
for module in pkgutil.walk_packages(package.__path__, "{package}."):
    importlib.import_module(module.name)
stages = ("flow", "motion", "depth", "planes", "analysis", "pipeline", "cli")
names = [f"streamflow.{{name}}." for name in stages]
print([name for name in sys.modules if name == "numba" or f"{{name}}.".startswith(tuple(names))])
"""
    assert printed_by(code) == "['streamflow.flow']\n"  # the package of the name of `streamflow.flow`: empty


def test_a_run_loads_scipy_and_matplotlib_only_where_it_uses_them(tmp_path: Path) -> None:
    for i in range(3):
        cv2.imwrite(str(tmp_path / f"{i}.png"), np.random.default_rng(i).integers(0, 256, (48, 64), np.uint8))
    code = f"""
import os, stream
os.chdir({str(tmp_path)!r})
assert stream.main(["--depth", "-o", "out.mp4", "."]) == 0
print("numba" in sys.modules, [name for name in ("matplotlib", *SCIPYS) if name in sys.modules])
"""
    scipys = [f"scipy.{name}" for name in ("ndimage", "optimize", "spatial", "special")]
    assert printed_by(code.replace("SCIPYS", repr(scipys))) == "True []\n"
