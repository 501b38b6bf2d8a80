"""Draw the README's pictures again: `python docs/pictures/make.py road.mp4`.

Each is what `stream.py` draws. The road is a second and a half of `test_video.mp4` of Udacity's
CarND-Vehicle-Detection (MIT licence); the other scenes are the program's own.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

HERE = Path(__file__).parent
ROAD = "--size 400 --fps 25 --fov 58"  # the field of view of that camera
MOVING = f"ROAD {ROAD} --view image,flow,epipole,depth"
STILL = {
    "depth": "demo:oblique,size=400x300,frames=20 --grey --fill",
    "arrows": f"ROAD {ROAD} --view flow --threshmin 5 --size 640",
    "contact": "demo:turning,size=400x300,frames=20 --view epipole,ttc --warn-below 2",
    "objects": "demo:crossing,size=400x300,frames=11 --view image,moving",
    "planes": "demo:oblique,size=400x300,frames=20 --view planes,depth",
}


def drawn(command: str) -> list[Image.Image]:
    """Pictures that `stream.py` draws."""
    program = str(HERE.parents[1] / "stream.py")
    with TemporaryDirectory() as folder:
        subprocess.run([sys.executable, program, *command.split(), "-q", "-o", f"png:{folder}"], check=True)
        return [Image.open(path).copy() for path in sorted(Path(folder).glob("*.png"))]


def main(road: str) -> None:
    """Write every picture beside this file."""
    for name, command in STILL.items():
        drawn(command.replace("ROAD", road))[-1].save(HERE / f"{name}.webp", quality=75)
    first, *rest = drawn(MOVING.replace("ROAD", road))[::2]
    first.save(HERE / "road.webp", quality=55, save_all=True, append_images=rest, duration=80, loop=0)


if __name__ == "__main__":
    main(sys.argv[1])
