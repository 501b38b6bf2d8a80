"""Frames through a real H.264 encoder and back, with their truth."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction

import av
import numpy as np

from streamflow.values import Frame


def through_h264(frames: Iterable[Frame], crf: int, *, preset: str = "veryfast") -> list[Frame]:
    """Encode the pictures as phones and cameras do (libx264, 4:2:0) and decode them again.

    Everything but the picture stays: index, time, gap and truth. An odd size is padded for the encoder, by
    repeating the last row and column, and cropped again.
    """
    kept = list(frames)
    width, height = kept[0].size
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as container:
        options = {"crf": str(crf), "preset": preset, "threads": "1"}
        stream = container.add_stream("libx264", rate=Fraction(30), options=options)
        stream.width, stream.height, stream.pix_fmt = width + width % 2, height + height % 2, "yuv420p"
        for i, frame in enumerate(kept):
            padded = np.pad(frame.image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(padded), "bgr24")
            picture.pts, picture.time_base = i, Fraction(1, 30)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    file.seek(0)
    with av.open(file) as container:
        decoded = [each.to_ndarray(format="bgr24")[:height, :width] for each in container.decode(video=0)]
    return [
        replace(frame, image=np.ascontiguousarray(image)) for frame, image in zip(kept, decoded, strict=True)
    ]
