"""The options of the method: each default is said here, once."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Knobs:
    """What a viewer may turn while the stream runs."""

    threshmin: float = 10.0  # pixels whose smin is smaller count as without evidence
