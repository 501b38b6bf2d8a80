"""What is fixed to the camera: it stays in the picture while the rest moves."""
