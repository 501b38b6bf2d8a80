"""The frame itself, to lie beside what was found in it."""

from streamflow.draw.panel import Panel
from streamflow.values import Image


def draw_image(panel: Panel) -> Image:
    """View `image`."""
    return panel.result.pair.reference.image.copy()
