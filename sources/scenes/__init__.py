"""What the rendered source shows: worlds, what is in front of the lens, and the table of scenes."""
