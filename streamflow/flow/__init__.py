"""Dense optical flow between two frames, and how far to trust it."""
