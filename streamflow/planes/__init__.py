"""Planar motion of the image or a region, and planes found in depth."""
