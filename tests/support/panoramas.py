"""Pictures of every direction, with a spot in one of them, and files that say so."""

from __future__ import annotations

import struct
from pathlib import Path

import av
import numpy as np

from streamflow.values import Image

SIZE = (720, 360)  # two pixels a degree
SPOT = 3.0  # degrees

SPHERICAL = bytes.fromhex("ffcc8263f8554a938814587a02521fdd")  # of Google's RFC, version 1
XML = b"""<rdf:SphericalVideo xmlns:GSpherical="http://ns.google.com/videos/1.0/spherical/">
<GSpherical:Spherical>true</GSpherical:Spherical><GSpherical:Stitched>true</GSpherical:Stitched>
<GSpherical:StitchingSoftware>none</GSpherical:StitchingSoftware>
<GSpherical:ProjectionType>equirectangular</GSpherical:ProjectionType></rdf:SphericalVideo>"""


def panorama(right: float, up: float) -> Image:
    """(360, 720, 3), black but for a spot so many degrees to the right and up."""
    width, height = SIZE
    longitude = np.radians((np.arange(width) + 0.5) / 2 - 180)
    latitude = np.radians(90 - (np.arange(height)[:, None] + 0.5) / 2)
    to_spot = np.sin(latitude) * np.sin(np.radians(up)) + np.cos(latitude) * np.cos(np.radians(up)) * np.cos(
        longitude - np.radians(right)
    )
    away = np.degrees(np.arccos(np.clip(to_spot, -1, 1)))
    return np.repeat((250 * np.exp(-((away / SPOT) ** 2)))[..., None], 3, axis=2).astype(np.uint8)


def spot(image: Image) -> tuple[float, float]:
    """(x, y) pixels of the spot's middle."""
    weight = image[..., 0].astype(float)
    y, x = np.mgrid[: weight.shape[0], : weight.shape[1]]
    return float((x * weight).sum() / weight.sum()), float((y * weight).sum() / weight.sum())


def marked(path: Path) -> Path:
    """Say in the mp4 at `path`, as cameras do, that it is equirectangular."""
    data = bytearray(path.read_bytes())
    box = struct.pack(">I", 24 + len(XML)) + b"uuid" + SPHERICAL + XML
    moov, trak = data.index(b"moov") - 4, data.index(b"trak") - 4
    (length,) = struct.unpack(">I", data[trak : trak + 4])
    data[trak + length : trak + length] = box
    for at in (moov, trak):
        (length,) = struct.unpack(">I", data[at : at + 4])
        data[at : at + 4] = struct.pack(">I", length + len(box))
    path.write_bytes(data)
    return path


def copied(path: Path, other: Path) -> Path:
    """The same video in another container."""
    with av.open(str(path)) as source, av.open(str(other), "w", options={"strict": "unofficial"}) as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                target.mux(packet)
    return other
