"""What a user chooses between: three points on the line from speed to accuracy."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Preset:
    """The settings that differ between presets."""

    coarse_iterations: int
    """Lucas-Kanade iterations at each of the coarse levels."""
    plane_rounds: int
    """How often planes are sought, and the flow replaced by theirs where they are believed more."""
    half_size_iterations: int
    """Smoothings, each followed by a Lucas-Kanade iteration, at half size."""
    half_size_rounds: int
    """Variational refinements at half size; followed by full size they bias depth by a percent."""
    full_size: bool
    """Whether there is a Lucas-Kanade iteration at full size; else the flow of half size is interpolated."""
    full_size_rounds: int
    """Variational refinements at full size."""

    @property
    def finest_compared(self) -> int:
        """Level of the pyramid from which on grey values are compared: by refinements, or by planes alone."""
        return 0 if self.full_size_rounds else 1 if self.half_size_rounds else 2


PRESETS = {
    "fast": Preset(
        coarse_iterations=3,
        plane_rounds=1,
        half_size_iterations=1,
        half_size_rounds=1,
        full_size=False,
        full_size_rounds=0,
    ),
    "balanced": Preset(
        coarse_iterations=3,
        plane_rounds=1,
        half_size_iterations=1,
        half_size_rounds=0,
        full_size=True,
        full_size_rounds=0,
    ),
    "accurate": Preset(
        coarse_iterations=5,
        plane_rounds=3,
        half_size_iterations=5,
        half_size_rounds=0,
        full_size=True,
        full_size_rounds=3,
    ),
}
