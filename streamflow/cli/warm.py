"""`stream.py warm`: compile now, so that no run has to."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from streamflow.cli.arguments import Parser
from streamflow.cli.compilation import compiled
from streamflow.kernels import jit
from streamflow.stages import Stage


def warm(argv: Sequence[str]) -> int:
    """Compile every stage and method, and say where the machine code is."""
    Parser("warm", description="Compile every kernel for this machine now.").parse_args(argv)
    compiled(Stage, "balanced")
    compiled({Stage.FLOW}, "plain")
    Console(stderr=True).print(f"machine code is in {jit.CACHE}", highlight=False, soft_wrap=True)
    return 0
