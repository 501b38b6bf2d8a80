"""Camera motion from flow: rotation, direction of translation, epipole, and how far to trust them."""
