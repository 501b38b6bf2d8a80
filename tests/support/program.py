"""The program as a user runs it, and what it leaves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "DISPLAY"}


def command(*arguments: str) -> list[str]:
    return [sys.executable, str(ROOT / "stream.py"), *arguments]


def run(folder: Path, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        command(*arguments), cwd=folder, capture_output=True, text=True, timeout=280, env=ENVIRONMENT
    )
    assert done.returncode == code, done.stderr
    return done


def begin(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command(*arguments), cwd=folder, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
    )


def children(process: int) -> list[int]:
    """Processes that a process began."""
    tasks = Path(f"/proc/{process}/task").iterdir()
    return [int(word) for task in tasks for word in (task / "children").read_text().split()]


def contents(folder: Path) -> dict[str, bytes]:
    """Every file by name, without the times that each run measures anew."""
    found = {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    for name, data in found.items():
        if name.endswith("log.jsonl") and not Path(name).name.startswith("."):
            lines = [json.loads(line) for line in data.splitlines()]
            found[name] = repr([{**line, "timing_ms": None} for line in lines]).encode()
    return found
