"""What a user chooses between: three points on the line from speed to accuracy."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Preset:
    """The settings that differ between presets."""

    finest_level: int
    """Pyramid level of the last iteration: 0 full size, 1 half size."""


PRESETS = {
    "fast": Preset(finest_level=1),
    "balanced": Preset(finest_level=0),
    "accurate": Preset(finest_level=0),
}
