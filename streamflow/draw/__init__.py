"""From arrays to pictures: uint8 BGR in, uint8 BGR out; no windows and no files."""
