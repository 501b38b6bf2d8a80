"""Depth from flow and camera motion, for one pair and over time."""
