"""The program as its user called it, for help and messages that run as printed."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path


def typed(*words: str) -> str:
    """Return the command line that calls this program in the same way, with these words."""
    return shlex.join([*_program(), *words])


def short_name() -> str:
    """Return the program's name, as a message begins with it."""
    return Path(_program()[-1]).name


def _program() -> list[str]:
    """`python stream.py`, `.venv/bin/python -m streamflow`, or the installed script."""
    words = sys.orig_argv[: len(sys.orig_argv) - len(sys.argv) + 1]
    script = Path(words[-1])
    if script.is_file() and script.suffix != ".py":
        return [script.name if shutil.which(script.name) == str(script) else str(script)]
    return words
