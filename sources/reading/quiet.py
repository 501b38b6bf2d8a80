"""OpenCV without its remarks on stderr."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cv2.utils import logging


@contextmanager
def quiet_opencv() -> Iterator[None]:
    """Where an error of ours says what OpenCV would say, in one line."""
    level = logging.getLogLevel()
    logging.setLogLevel(logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        logging.setLogLevel(level)
